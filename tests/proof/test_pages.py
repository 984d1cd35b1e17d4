import pytest
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job
from presence import Stage
from proof.models import Canary, PresenceCertificate, Proof


def line(client, peer):
    response = client.get(reverse("proof:line", args=[peer.pk]))
    return response.context["line"]


def test_without_canaries_the_line_is_information(client_of, viewer, two):
    displayed = line(client_of(viewer), two[0])
    assert (displayed.outcome, displayed.provable) == ("information", False)


def test_a_line_that_was_never_proven_is_unknown(client_of, viewer, two, canaries):
    assert line(client_of(viewer), two[0]).outcome == "unknown"


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [("passed", "probe"), ("failed", "probe"), ("unknown", "none")],
)
def test_the_line_shows_the_newest_proof(
    client_of, viewer, two, canaries, outcome, evidence
):
    Proof.objects.create(
        peer=two[0],
        at=timezone.now(),
        outcome=outcome,
        stage=Stage.ARRIVED,
        way="pws",
        latency_ms=1234,
    )
    displayed = line(client_of(viewer), two[0])
    assert (displayed.outcome, displayed.evidence) == (outcome, evidence)
    assert "1.2 s" in displayed.detail


def test_the_line_shows_the_last_proofs_oldest_first(client_of, viewer, two, canaries):
    for n in range(14):
        Proof.objects.create(
            peer=two[0],
            at=timezone.now(),
            outcome="failed" if n % 2 else "passed",
            stage="arrived",
            way="pws",
            latency_ms=1000 * n,
        )
    shown = line(client_of(viewer), two[0])
    assert [one.latency_ms for one in shown.recent] == [1000 * n for n in range(2, 14)]
    url = reverse("proof:line", args=[two[0].pk])
    page = client_of(viewer).get(url).content.decode()
    assert "Last 12:" in page
    assert "Passed after 2.0 s" in page


def test_the_line_stands_in_the_status_pane(client_of, viewer, two):
    two[0].entries = [{"code": "axl", "label": "AXL", "outcome": "passed"}]
    two[0].save()
    pane = client_of(viewer).get(reverse("diagnostics:peer_status", args=[two[0].pk]))
    assert 'id="presence-line"' in pane.content.decode()


def test_an_operator_proves_and_a_viewer_may_not(
    client_of, operator, viewer, two, canaries
):
    url = reverse("proof:prove", args=[two[0].pk])
    assert client_of(viewer).post(url).status_code == 403
    assert client_of(operator).post(url).status_code == 302
    assert Job.objects.get(kind="prove").target_id == str(two[0].pk)
    polled = client_of(viewer).get(reverse("proof:line", args=[two[0].pk]))
    assert "every 2s" in polled.content.decode()


def test_polling_ends_with_the_proof(client_of, viewer, two, canaries):
    url = reverse("proof:line", args=[two[0].pk])
    assert client_of(viewer).get(f"{url}?polling=1").status_code == 286


def test_a_canary_is_saved_and_its_password_stays(client_of, administrator, two):
    url = reverse("proof:canary", args=[two[0].cluster_id])
    given = {
        "userid": "anna",
        "way": "",
        "presence_username": "presenceapp",
        "presence_password": "open sesame 8083",
        "presence_port": 8083,
        "xmpp_port": 5222,
    }
    client = client_of(administrator)
    assert client.post(url, given).status_code == 302
    assert client.post(url, given | {"presence_password": ""}).status_code == 302
    row = Canary.objects.get()
    assert row.unseal("presence_password").reveal() == "open sesame 8083"
    assert "open sesame 8083" not in client.get(url).content.decode()


def test_an_account_without_password_is_refused(client_of, administrator, two):
    url = reverse("proof:canary", args=[two[0].cluster_id])
    given = FORM | {"presence_username": "x"}
    form = client_of(administrator).post(url, given).context["form"]
    assert set(form.errors) == {"presence_password"}


def test_the_panel_of_the_cluster_shows_the_canary(client_of, viewer, two, canaries):
    page = client_of(viewer).get(two[0].cluster.get_absolute_url())
    assert "anna" in page.content.decode()


def test_the_history_lists_proofs(client_of, viewer, two):
    Proof.objects.create(
        peer=two[0],
        at=timezone.now(),
        outcome="failed",
        stage="subscribed",
        way="pws",
        problem="Nothing came <script>.",
    )
    page = client_of(viewer).get(reverse("proof:history", args=[two[0].pk]))
    assert "Nothing came &lt;script&gt;" in page.content.decode()


def test_a_certificate_is_confirmed_only_as_presented(client_of, administrator, pair):
    node = pair.clusters[0].publisher
    PresenceCertificate.objects.all().delete()
    client = client_of(administrator)
    displayed = client.get(reverse("proof:certificate", args=[node.pk]))
    presented = displayed.context["certificate"].fingerprint
    assert presented == pair.there[0].publisher.cup_identity.fingerprint
    url = reverse("proof:trust", args=[node.pk])
    proof = {"proof_password": "correct horse battery"}
    client.post(url, {"fingerprint": "ab" * 32} | proof)
    assert not PresenceCertificate.objects.exists()
    client.post(url, {"fingerprint": presented} | proof)
    assert PresenceCertificate.objects.get().fingerprint == presented


def test_rest_confirms_a_certificate_only_as_presented(api, administrator, pair):
    node = pair.clusters[0].publisher
    PresenceCertificate.objects.all().delete()
    client = api(administrator)
    url = f"/api/v1/nodes/{node.pk}/presence-certificate/"
    presented = client.get(url).json()["fingerprint"]
    assert presented == pair.there[0].publisher.cup_identity.fingerprint
    assert client.get(url, {"kind": "smtp"}).status_code == 400
    assert client.post(url, {"fingerprint": "ab" * 32}).status_code == 409
    assert client.post(url, {"fingerprint": "ab"}).status_code == 400
    assert not PresenceCertificate.objects.exists()
    assert client.post(url, {"fingerprint": presented.upper()}).status_code == 204
    assert PresenceCertificate.objects.get().fingerprint == presented


FORM = {
    "userid": "anna",
    "way": "",
    "presence_username": "",
    "presence_port": 8083,
    "xmpp_port": 5222,
}


def errors(client, cluster, **given):
    url = reverse("proof:canary", args=[cluster.pk])
    answer = client.post(url, FORM | given)
    return answer.context["form"].errors if answer.context else {}


def test_a_second_user_is_another_user(client_of, administrator, two):
    client, cluster = client_of(administrator), two[0].cluster
    assert set(errors(client, cluster, watcher_userid="anna")) == {"watcher_userid"}
    assert not errors(client, cluster, watcher_userid="arne")
    assert Canary.objects.get().watcher.userid == "arne"


def test_xmpp_needs_its_package_and_passwords(
    client_of, administrator, two, monkeypatch
):
    client, cluster = client_of(administrator), two[0].cluster
    given = {"way": "xmpp", "watcher_userid": "arne"}
    monkeypatch.setattr("proof.forms.is_xmpp_installed", lambda: False)
    assert "way" in errors(client, cluster, **given)
    monkeypatch.setattr("proof.forms.is_xmpp_installed", lambda: True)
    wrong = errors(client, cluster, **given)
    assert set(wrong) == {"xmpp_password", "watcher_xmpp_password"}
    secrets = {"xmpp_password": "one", "watcher_xmpp_password": "two"}
    assert not errors(client, cluster, **given, **secrets)
    assert not errors(client, cluster, **given)
    row = Canary.objects.get()
    assert row.watcher.xmpp_password.reveal() == "two"
    assert row.first.xmpp_password.reveal() == "one"


@pytest.mark.parametrize(
    ("way", "named"),
    [("", "<code>cup</code>"), ("sip", "over TLS"), ("xmpp", "<code>cup-xmpp</code>")],
)
def test_the_page_says_which_certificate_is_needed(
    client_of, administrator, two, way, named
):
    Canary.objects.create(pk=two[0].cluster_id, userid="anna", way=way)
    url = reverse("proof:canary", args=[two[0].cluster_id])
    page = client_of(administrator).get(url).content.decode()
    assert named in page


def test_a_certificate_of_no_kind_is_not_found(client_of, administrator, two):
    node = two[0].cluster.publisher
    url = reverse("proof:certificate", args=[node.pk])
    client = client_of(administrator)
    assert client.get(f"{url}?kind=tomcat").status_code == 404
    url = reverse("proof:trust", args=[node.pk])
    given = {"kind": "tomcat", "proof_password": "correct horse battery"}
    assert client.post(url, given).status_code == 404
