-- The tables of the master record without history and guards: same columns, indexes, checks and foreign keys.
DROP TABLE IF EXISTS raw_der, raw_derowner;
CREATE TABLE raw_derowner (LIKE registry_derowner INCLUDING ALL);
ALTER TABLE raw_derowner
    ADD FOREIGN KEY (aggregator_id) REFERENCES moc_organization DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (edc_id) REFERENCES moc_organization DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE raw_der (LIKE registry_der INCLUDING ALL);
ALTER TABLE raw_der
    ADD FOREIGN KEY (aggregator_id) REFERENCES moc_organization DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (edc_id) REFERENCES moc_organization DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (service_point_id) REFERENCES registry_servicepoint DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (feeder_id) REFERENCES registry_feeder DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (county_id) REFERENCES registry_county DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (owner_id) REFERENCES raw_derowner DEFERRABLE INITIALLY DEFERRED;
