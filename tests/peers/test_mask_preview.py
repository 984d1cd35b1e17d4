import pytest
from django.urls import reverse

from tests.elements import elements, texts

PREVIEW = reverse("peers:mask_preview")
SHOWN = "//*[@id='mask-preview']"


@pytest.mark.parametrize(
    ("mask", "sample", "number", "outcome"),
    [
        ("+1408902XXXX", "1234", ["+14089021234"], []),
        ("+1408902XXXX", "34", [], ["outcome warning"]),
        ("", "1234", ["1234"], []),
        ("1X1", "1234", [], ["outcome failed"]),
        ("+1408902XXXX", "12a4", [], ["outcome failed"]),
        ("+1408902XXXX", "", [], []),
    ],
)
def test_preview_says_what_becomes_of_the_sample(
    viewer, client_of, mask, sample, number, outcome
):
    data = {"external_phone_number_mask": mask, "sample": sample, "password": "x1y2"}
    answer = client_of(viewer).post(PREVIEW, data)
    assert texts(answer, f"{SHOWN}/strong") == number
    assert elements(answer, f"{SHOWN}/*[contains(@class, 'outcome')]/@class") == outcome
    assert "x1y2" not in answer.content.decode()


def test_script_gets_only_the_answer(viewer, client_of):
    headers = {"HX-Request": "true"}
    answer = client_of(viewer).post(PREVIEW, {"sample": "1"}, headers=headers)
    assert "<html" not in answer.content.decode()


def test_form_has_the_preview(administrator, client_of, cluster_factory):
    cluster_factory()
    text = client_of(administrator).get(reverse("peers:add_peer")).content.decode()
    assert f'formaction="{PREVIEW}"' in text
