import pytest

from .client import ask_node, axl, basic, query, update

PUBLISHERS = "SELECT count(*) from processnode WHERE systemnode='f' and tknodeusage= 0"


def test_the_sync_agents_probe_is_answered_by_every_generation(cluster):
    reply = query(cluster.publisher, PUBLISHERS)
    assert reply.status == 200
    assert int(reply.rows()[0]["count"]) >= 1


def test_a_subscriber_answers_reads(cluster):
    assert query(cluster.subscribers[0], "select name from enterprisenode").rows()


def test_the_sequence_is_echoed(cluster):
    reply = query(cluster.publisher, PUBLISHERS)
    assert reply.all("executeSQLQueryResponse")[0].get("sequence") == "42"


def test_zero_rows_are_an_empty_return(cluster):
    reply = query(cluster.publisher, "select userid from enduser where userid = 'no'")
    assert "<return/>" in reply.text


def test_columns_are_unqualified_and_lower_case(imp):
    reply = query(imp.publisher, "select first 1 USERID, DirectoryURI from enduser")
    assert list(reply.rows()[0]) == ["userid", "directoryuri"]


def test_the_version_is_told(cluster):
    reply = axl(cluster.publisher, "getCCMVersion")
    assert reply.one("version") == cluster.release.version


def test_a_qualified_child_is_refused(imp):
    reply = axl(imp.publisher, "executeSQLQuery", "<n:sql>select 1</n:sql>")
    assert (reply.status, reply.one("axlcode")) == (500, "5003")


def test_a_namespace_that_disagrees_with_the_action_is_refused(imp):
    reply = query(imp.publisher, PUBLISHERS, version="12.5", namespace="9.1")
    assert reply.status == 500
    assert "does not agree" in reply.one("faultstring")


def test_the_oldest_schema_goes_without_an_action(imp):
    headers = {"SOAPAction": '""'}
    reply = query(imp.publisher, PUBLISHERS, namespace="1.0", headers=headers)
    assert reply.status == 200


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "Available versions are 1.0, 6.0, 6.1, 7.0 and 7.1"),
        (2, "Supported axl versions are 8.x, 9.x, 10.x, 11.x and 12.x"),
    ],
)
def test_an_unsupported_version_gets_599_in_the_words_of_the_release(lab, number, text):
    reply = query(lab.clusters[number].publisher, PUBLISHERS, version="3.0")
    assert reply.status == 599
    assert text in reply.text


def test_a_range_of_versions_can_be_set(imp):
    imp.set_fault("axl", "versions:12.0,14.0,15.0")
    reply = query(imp.publisher, PUBLISHERS, version="12.5")
    assert "Supported axl versions are 12.0, 14.0 and 15.0" in reply.text
    assert query(imp.publisher, PUBLISHERS, version="14.0").status == 200


def test_an_unknown_operation_has_no_method(cup7):
    reply = axl(cup7.publisher, "listInterclusterPeer")
    assert reply.one("message") == "No method found for processing request"


def test_list_process_node_is_not_offered_before_8(cup7, cup8):
    tags = "<searchCriteria><name>%</name></searchCriteria><returnedTags/>"
    assert axl(cup7.publisher, "listProcessNode", tags).status == 500
    names = [e.text for e in axl(cup8.publisher, "listProcessNode", tags).all("name")]
    assert cup8.publisher.name in names


def test_the_old_fault_has_axl_error_with_code(cup7):
    reply = query(cup7.publisher, "select x from enduser")
    error = reply.all("error")[0]
    assert error.tag == "{http://www.cisco.com/AXL/7.0}error"
    assert (error.get("sequence"), error.findtext("code")) == ("42", "-217")


def test_the_new_fault_has_axl_error_with_axlcode(cup8, imp):
    for cluster in (cup8, imp):
        reply = query(cluster.publisher, "select x from enduser")
        assert (reply.status, reply.one("axlcode")) == (500, "-217")
        assert reply.one("request") == "executeSQLQuery"


def test_a_user_is_authenticated_by_password(imp):
    userid = imp.users()[0]
    inner = f"<userid>{userid}</userid><password>{{}}</password>"
    right = axl(imp.publisher, "doAuthenticateUser", inner.format(imp.user_password))
    wrong = axl(imp.publisher, "doAuthenticateUser", inner.format("wrong"))
    assert (right.one("userAuthenticated"), right.one("code")) == ("true", "0")
    assert wrong.one("userAuthenticated") == "false"


def test_the_page_of_the_service_needs_credentials(imp):
    assert "working and accepting" in ask_node(imp.publisher, "GET", "/axl/").text
    assert ask_node(imp.publisher, "GET", "/axl/", user=("a", "b")).status == 401


def test_the_trailing_slash_is_required(imp):
    assert ask_node(imp.publisher, "POST", "/axl", b"x").status == 404


def test_wrong_credentials_get_a_page_and_a_challenge(imp):
    reply = query(imp.publisher, PUBLISHERS, user=(imp.axl_username, "wrong"))
    assert reply.status == 401
    assert "Cisco System - Error report" in reply.text
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_a_user_without_the_role_is_forbidden(imp):
    user = ("nobody", f"{imp.name}-nobody-secret")
    assert query(imp.publisher, PUBLISHERS, user=user).status == 403


def test_a_read_only_user_reads_and_gets_401_on_a_write(imp):
    user = ("axlreader", f"{imp.name}-reader-secret")
    sql = "delete from enduser where userid = 'no'"
    assert query(imp.publisher, PUBLISHERS, user=user).status == 200
    assert update(imp.publisher, sql, user=user).status == 401


def test_a_subscriber_refuses_a_write(imp):
    sql = "delete from enduser where userid = 'no'"
    assert update(imp.subscribers[0], sql).status == 500


def test_a_session_cookie_replaces_the_credentials(imp):
    cookie = query(imp.publisher, PUBLISHERS).headers["Set-Cookie"]
    assert cookie.startswith("JSESSIONIDSSO=")
    headers = {"Cookie": cookie.split(";")[0]}
    reply = query(imp.publisher, PUBLISHERS, user="nobody at all", headers=headers)
    assert (reply.status, reply.headers["Set-Cookie"]) == (200, None)


def test_an_idle_session_is_not_found(imp):
    cookie = query(imp.publisher, PUBLISHERS).headers["Set-Cookie"].split(";")[0]
    imp.publisher.sessions.age(31 * 60)
    reply = query(imp.publisher, PUBLISHERS, headers={"Cookie": cookie})
    assert reply.status == 404


def test_no_credentials_at_all_get_401(imp):
    assert query(imp.publisher, PUBLISHERS, user="nobody at all").status == 401


def test_another_content_type_is_refused(imp):
    headers = {"Content-Type": "application/json"}
    assert query(imp.publisher, PUBLISHERS, headers=headers).status == 415


def test_what_is_not_soap_gets_a_fault(imp):
    headers = {"Content-Type": "text/xml"}
    assert ask_node(imp.publisher, "POST", "/axl/", b"<no", headers).status == 500


def test_expect_is_disliked(imp):
    reply = query(imp.publisher, PUBLISHERS, headers={"Expect": "100-continue"})
    assert reply.status == 417


def test_a_stopped_web_service_is_not_found(imp):
    imp.publisher.service("Cisco AXL Web Service").set("Stopped")
    assert query(imp.publisher, PUBLISHERS).status == 404


def test_every_call_is_in_the_journal(imp):
    query(imp.publisher, "select name from enterprisenode")
    call = imp.publisher.calls[-1]
    assert call.sql == "select name from enterprisenode"
    assert (call.user, call.status) == (imp.axl_username, 200)


def test_the_intercluster_user_may_use_axl(imp):
    user = (imp.intercluster_username, imp.intercluster_password)
    assert query(imp.publisher, PUBLISHERS, user=user).status == 200
    assert "Authorization" in basic(*user)
