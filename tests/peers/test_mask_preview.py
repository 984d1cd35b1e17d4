import pytest
from django.urls import reverse

PREVIEW = reverse("peers:mask_preview")


@pytest.mark.parametrize(
    ("mask", "sample", "sentence"),
    [
        ("+1408902XXXX", "1234", "+14089021234"),
        ("+1408902XXXX", "34", "Too short"),
        ("", "1234", "(no mask)"),
        ("1X1", "1234", "must come last"),
        ("+1408902XXXX", "12a4", "A directory number holds digits"),
        ("+1408902XXXX", "", "Enter a directory number"),
    ],
)
def test_preview_says_what_becomes_of_the_sample(
    viewer, client_of, mask, sample, sentence
):
    data = {"external_phone_number_mask": mask, "sample": sample, "password": "x1y2"}
    text = client_of(viewer).post(PREVIEW, data).content.decode()
    assert sentence in text and "x1y2" not in text


def test_script_gets_only_the_answer(viewer, client_of):
    headers = {"HX-Request": "true"}
    answer = client_of(viewer).post(PREVIEW, {"sample": "1"}, headers=headers)
    assert "<html" not in answer.content.decode()


def test_form_has_the_preview(administrator, client_of, cluster_factory):
    cluster_factory()
    text = client_of(administrator).get(reverse("peers:add_peer")).content.decode()
    assert f'formaction="{PREVIEW}"' in text
