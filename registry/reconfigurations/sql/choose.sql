-- The service points that a reconfiguration is about, once for all the statements of its transaction, locked in the order of their keys.
-- Called by registry.reconfigurations.services.acts.choose.
DROP TABLE IF EXISTS reconfigured;
CREATE TEMPORARY TABLE reconfigured ON COMMIT DROP AS {points};
ANALYZE reconfigured
