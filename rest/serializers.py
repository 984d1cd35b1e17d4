"""Bodies of requests whose fields may all be missing."""

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses a name that is none of its fields.

    For bodies in which no field means all rows, or no change: a mistyped name would
    mean that too.
    """

    def to_internal_value(self, data: Any) -> Any:
        known = super().to_internal_value(data)
        if unknown := sorted(set(map(str, data)) - set(self.fields)):
            sentence = ["There is no such field."]
            raise serializers.ValidationError(dict.fromkeys(unknown, sentence))
        return known
