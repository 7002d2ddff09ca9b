"""The Celery app and the whole beat table. The broker only wakes a worker; the truth of a job is its row (moc.jobs)."""

import os
from pathlib import Path

from celery import Celery, Task
from celery.schedules import crontab

from moc import sight
from moc.frames import roomy

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moc.settings.base")


class SightedTask(Task):
    """Work of the platform itself sees every row; a user's job narrows that to the user (moc.jobs.services.running)."""

    @roomy
    def __call__(self, *args, **kwargs):
        with sight.engine():
            return super().__call__(*args, **kwargs)


app = Celery("moc", task_cls=SightedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
if app.conf.broker_url and app.conf.broker_url.startswith("filesystem:"):
    for folder in ("data_folder_in", "data_folder_out", "control_folder"):
        Path(app.conf.broker_transport_options[folder]).mkdir(parents=True, exist_ok=True)
app.autodiscover_tasks(
    [
        "moc.documents",
        "moc.jobs",
        "moc.notices",
        "moc.public",
        "moc.reports",
        "moc.seals",
        "moc.snapshots",
        "moc.takeouts",
        "moc.webhooks",
        "registry.participants",
        "registry.submissions",
        "registry.aggregations",
        "registry.intents",
        "registry.aggregators",
        "registry.rosters",
        "registry.ders",
        "registry.grid",
        "registry.prequalification",
        "registry.administration",
        "settlement.disputes",
        "operations.network",
        "operations.envelopes",
        "operations.outages",
        "operations.responses",
        "operations.reliability",
        "operations.outcomes",
        "operations.deferral",
        "operations.interconnection",
        "operations.screening",
        "operations.hosting",
        "operations.coordination",
        "operations.telemetry",
        "operations.forecasts",
        "moc.demo",
    ]
)
app.conf.beat_schedule = {
    "sweep stale jobs": {"task": "moc.jobs.tasks.sweep", "schedule": 30.0},
    "sweep files without a document": {"task": "moc.documents.tasks.sweep", "schedule": crontab(minute=7)},
    "send outgoing e-mail": {"task": "moc.notices.tasks.deliver", "schedule": 15.0},
    "send events to webhooks": {"task": "moc.webhooks.tasks.deliver", "schedule": 5.0},
    "review and completeness deadlines": {"task": "registry.submissions.tasks.check_deadlines", "schedule": crontab(minute="*/10")},
    "take-outs whose days are over": {"task": "moc.takeouts.tasks.expire", "schedule": crontab(minute="15")},
    "snapshots whose days are over": {"task": "moc.snapshots.tasks.expire", "schedule": crontab(minute="25")},
    "clocks of RTOs' reviews": {"task": "registry.prequalification.tasks.check_clocks", "schedule": crontab(minute="*/10")},
    "qualify what changed": {"task": "registry.prequalification.tasks.catch_up", "schedule": 60.0},
    "public figures": {"task": "moc.public.tasks.publish", "schedule": crontab(day_of_month="1", hour="4", minute="30")},
    "reports on a schedule": {"task": "moc.reports.tasks.run_due", "schedule": crontab(minute="*/5")},
    "archives": {"task": "moc.seals.tasks.archive_what_is_due", "schedule": crontab(hour="3", minute="50")},
    "seal history": {"task": "moc.seals.tasks.seal_what_is_new", "schedule": crontab(minute=2)},
    "certifications that expire": {"task": "registry.aggregators.tasks.warn_of_expiry", "schedule": crontab(hour="6", minute="10")},
    "clocks of notices of intent": {"task": "registry.intents.tasks.check_clocks", "schedule": crontab(minute="*/10")},
    "memberships without consent": {"task": "registry.aggregations.tasks.end_expired_consents", "schedule": crontab(minute="5,35")},
    "agents whose last day is over": {"task": "registry.aggregations.tasks.end_agents", "schedule": crontab(minute="*/5")},
    "profiles whose day has come": {"task": "registry.participants.tasks.begin_profiles", "schedule": crontab(minute="*/15")},
    "registry and rosters": {"task": "registry.rosters.tasks.match", "schedule": crontab(hour="2", minute="40")},
    "retention": {"task": "registry.administration.tasks.enforce_retention", "schedule": crontab(hour="3", minute="20")},
    "personal data whose period is over": {"task": "registry.administration.tasks.anonymise", "schedule": crontab(hour="3", minute="35")},
    "tenures whose day has come": {"task": "registry.submissions.tasks.apply_tenures", "schedule": crontab(minute="*/5")},
    "clocks of disputes": {"task": "settlement.disputes.tasks.check_clocks", "schedule": crontab(minute="*/10")},
    "envelopes of today and tomorrow": {"task": "operations.envelopes.tasks.due", "schedule": crontab(minute="5,35")},
    "envelopes of the next hour": {"task": "operations.envelopes.tasks.roll", "schedule": crontab(minute="*/5")},
    "answers to outages that are over": {"task": "operations.responses.tasks.end_over", "schedule": 60.0},
    "transformers above their rating": {"task": "operations.deferral.tasks.look", "schedule": crontab(minute="55")},
    "reviews that reached a modelled feeder": {"task": "operations.screening.tasks.due", "schedule": crontab(minute="*/5")},
    "hosting capacity of feeders": {"task": "operations.hosting.tasks.due", "schedule": crontab(hour="1", minute="40")},
    "reliability of DERs": {"task": "operations.reliability.tasks.look", "schedule": crontab(minute="20")},
    "what sets of envelopes held back": {"task": "operations.outcomes.tasks.make_due", "schedule": crontab(minute="*/10")},
    "settings that nobody read back": {
        "task": "operations.interconnection.tasks.look_for_unread",
        "schedule": crontab(hour="5", minute="25"),
    },
    "what can be delivered": {"task": "operations.coordination.tasks.due", "schedule": 60.0},
    "envelopes after events and outages": {"task": "operations.envelopes.tasks.react", "schedule": 60.0},
    "outages that were planned": {"task": "operations.outages.tasks.begin_due", "schedule": 60.0},
    "partitions of readings": {"task": "operations.telemetry.tasks.prepare_months", "schedule": crontab(hour="0", minute="20")},
    "telemetry owed and delivered": {"task": "operations.telemetry.tasks.check_days", "schedule": crontab(minute="10")},
    "forecasts of today and tomorrow": {"task": "operations.forecasts.tasks.due", "schedule": crontab(minute="50")},
    "the demonstration's devices": {"task": "moc.demo.tasks.report", "schedule": crontab(minute="*/5")},
    "the demonstration's meters": {"task": "moc.demo.tasks.measure", "schedule": crontab(minute="45", hour="*/3")},
    "the demonstration's networks": {"task": "moc.demo.tasks.draw", "schedule": 60.0},
    "abandoned loads of grid records": {"task": "registry.grid.tasks.end_abandoned", "schedule": crontab(minute="*/10")},
}
