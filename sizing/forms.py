"""Forms of sizing: the profile, a cluster's platform, and what would change."""

from typing import Any, cast

from django import forms

from sizing.editing import LINK, PLATFORM_FIELDS
from sizing.load import INPUTS, Input
from sizing.models import ClusterPlatform

MOST_LINK = 1e9
MOST_USERS = 10_000_000


def number_field(one: Input) -> forms.FloatField:
    return forms.FloatField(
        label=one.label,
        required=False,
        min_value=one.least,
        max_value=one.most,
        widget=forms.NumberInput(
            attrs={"step": "any", "placeholder": f"{one.default:g}"}
        ),
        help_text=f"{one.unit} ({one.symbol}). Empty: {one.default:g}. {one.basis}.",
    )


class ProfileForm(forms.Form):
    """The presence user profile; an empty field keeps the console's assumption."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update({one.name: number_field(one) for one in INPUTS})
        self.fields[LINK] = forms.FloatField(
            label="Link between two clusters",
            required=False,
            min_value=1,
            max_value=MOST_LINK,
            widget=forms.NumberInput(attrs={"step": "any"}),
            help_text="kbit/s in each direction. Empty: the load is not compared.",
        )


class PlatformForm(forms.ModelForm[ClusterPlatform]):
    """On what a cluster runs."""

    class Meta:
        model = ClusterPlatform
        fields = PLATFORM_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PLATFORM_FIELDS:
            field = cast(forms.TypedChoiceField, self.fields[name])
            _, *choices = cast(list[Any], field.choices)
            field.choices = [("", "Not known"), *choices]


class GrowthForm(forms.Form):
    """How many more users, and how large one more cluster would be."""

    more_users = forms.IntegerField(
        label="More users", required=False, min_value=1, max_value=MOST_USERS
    )
    cluster_users = forms.IntegerField(
        label="Users of one more cluster",
        required=False,
        min_value=0,
        max_value=MOST_USERS,
    )
