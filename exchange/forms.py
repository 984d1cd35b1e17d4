"""The filters of the table; what is not valid filters nothing."""

from typing import Any

from django import forms

from exchange.grid import ATTENTION, TrustFilter


def part_of_name(label: str) -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=100,
        label=label,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": label}),
    )


class TrustGridForm(forms.Form):
    """Which nodes and remote clusters are shown."""

    home = part_of_name("Cluster contains")
    remote = part_of_name("Remote contains")
    state = forms.ChoiceField(
        required=False,
        label="State",
        choices=[
            ("", "All states"),
            (ATTENTION, "Needs attention"),
            ("missing", "Missing"),
            ("old", "Old"),
            ("warning", "Expires soon"),
            ("unknown", "Not known"),
            ("trusted", "Trusted"),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "grid-%s", **kwargs})

    @property
    def chosen(self) -> TrustFilter:
        self.is_valid()
        values = {name: value for name, value in self.cleaned_data.items() if value}
        return TrustFilter(**values)
