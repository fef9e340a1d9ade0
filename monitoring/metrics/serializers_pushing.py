"""What a push takes and answers, for the OpenAPI document; the body itself is read by `monitoring.metrics.batches`."""

from typing import Any

from rest_framework import serializers

from monitoring.metrics.batches import LONGEST_ID, LONGEST_NAME, MOST_SERIES


class HistogramSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=0)
    sum = serializers.FloatField()
    buckets = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        help_text="Counts of each bucket by itself, not cumulative; the last one is what exceeds every bound. They sum to `count`.",
    )


class PushedSeriesSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    labels = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Exactly the metric's own, without `client`; left out when it has none.",
    )
    inc = serializers.FloatField(min_value=0, required=False, help_text="Of a counter: by how much it grew.")
    set = serializers.FloatField(required=False, help_text="Of a gauge: its value.")
    histogram = HistogramSerializer(
        required=False, help_text="Of a histogram: what was observed since the batch before."
    )


class PushSerializer(serializers.Serializer[Any]):
    batch_id = serializers.CharField(
        max_length=LONGEST_ID, help_text="New for each batch, and the same when it is sent again."
    )
    client = serializers.CharField(max_length=LONGEST_NAME, help_text="Who reports, such as `AAPL`.")
    sent_at = serializers.DateTimeField(
        help_text="When the client had these values, with its zone. It says which minute they belong in."
    )
    series = PushedSeriesSerializer(many=True, help_text=f"1 to {MOST_SERIES}.")


class FaultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Its place in `series`, from 0.")
    name = serializers.CharField(allow_blank=True)
    error = serializers.CharField(help_text="The field, and what is allowed there.")


class PushedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    rejected = FaultSerializer(many=True)
