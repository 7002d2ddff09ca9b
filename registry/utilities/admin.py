"""What utilities set, read by auditors; it is changed on the utilities' own pages."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.utilities.models import LetterTemplate, Removal, RetentionPeriod, ReviewPractice, ReviewRule


class SettingAdmin(RecordAdmin):
    """A setting of one utility."""

    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("edc",)


@admin.register(ReviewRule)
class ReviewRuleAdmin(SettingAdmin):
    list_display = ("field", "kind", "severity", "edc", "valid_during")
    search_fields = ("=field",)


@admin.register(ReviewPractice)
class ReviewPracticeAdmin(SettingAdmin):
    list_display = ("edc", "reviewers", "limits_by_file", "valid_during")


@admin.register(LetterTemplate)
class LetterTemplateAdmin(SettingAdmin):
    hidden = ("logo",)
    list_display = ("kind", "version", "edc", "sender", "created_at")


@admin.register(RetentionPeriod)
class RetentionPeriodAdmin(SettingAdmin):
    list_display = ("data_class", "days", "edc", "valid_during")


@admin.register(Removal)
class RemovalAdmin(SettingAdmin):
    list_display = ("removed_at", "data_class", "removed", "submission", "edc")
    list_select_related = ("edc", "period")
