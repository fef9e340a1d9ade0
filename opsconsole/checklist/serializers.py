"""What the checklist's API answers, and how the OpenAPI document describes it."""

from typing import Any

from rest_framework import serializers

from opsconsole.checklist.choices import Progress, Verdict
from opsconsole.checklist.models import COMMENT, ChecklistDay


class LineSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    verdict = serializers.ChoiceField(choices=Verdict.choices, help_text="Unknown is not green.")
    text = serializers.CharField(help_text="What was found, beside its limit.")
    url = serializers.CharField(help_text="The page to look at.")
    values = serializers.DictField(help_text="The same as data; differs by line.")


class DaySerializer(serializers.ModelSerializer[ChecklistDay]):
    lines = LineSerializer(many=True, help_text="As they were when it was signed off.")

    class Meta:
        model = ChecklistDay
        fields = ("day", "signed_at", "signed_by", "comment", "not_green", "lines", "told_at")


class ChecklistSerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="The trading day.")
    timestamp = serializers.DateTimeField()
    progress = serializers.ChoiceField(choices=Progress.choices)
    due_at = serializers.DateTimeField(allow_null=True, help_text="Null: it is not asked for today.")
    green = serializers.IntegerField()
    total = serializers.IntegerField()
    seen = serializers.CharField(
        help_text="To send back when it is signed off, so that nothing else is signed."
    )
    lines = LineSerializer(many=True, help_text="As they are now.")
    signed = DaySerializer(allow_null=True)


class SignSerializer(serializers.Serializer[Any]):
    comment = serializers.CharField(
        required=False, allow_blank=True, max_length=COMMENT, help_text="Needed while a line is not green."
    )
    seen = serializers.CharField(required=False, help_text="`seen` of the checklist that was looked at.")


class SignedSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField(help_text="False: it was signed off already.")
    day = DaySerializer()


class DayPageSerializer(serializers.Serializer[Any]):
    results = DaySerializer(many=True)
    next = serializers.CharField(allow_null=True)
