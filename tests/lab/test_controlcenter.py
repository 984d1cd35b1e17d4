import pytest

from tests.waiting import eventually

from .client import (
    AGENT,
    EXTENDED,
    NS,
    center,
    control,
    legacy,
    status_of,
)

ALL = "soapGetServiceStatus"


def test_an_empty_name_means_all_services(imp):
    reply = center(imp.publisher, ALL)
    names = [e.text for e in reply.all("ServiceName")]
    assert names == list(imp.publisher.services)
    assert 20 <= len(names) <= 30


def test_every_element_is_in_the_namespace_without_a_slash(imp):
    reply = center(imp.publisher, ALL)
    assert reply.all("item")[0].tag == f"{{{NS}}}item"
    assert reply.one("ReturnCode") == "0"


def test_one_service_can_be_asked_for(cup8):
    agent = AGENT["cup8"]
    reply = center(cup8.publisher, ALL, f"<s:ServiceStatus>{agent}</s:ServiceStatus>")
    assert [e.text for e in reply.all("ServiceName")] == [agent]
    assert int(reply.one("UpTime")) >= 0


def test_a_service_that_does_not_run_has_no_up_time(imp):
    imp.publisher.service(AGENT["imp"]).set("Stopped")
    inner = f"<s:ServiceStatus>{AGENT['imp']}</s:ServiceStatus>"
    reply = center(imp.publisher, ALL, inner)
    assert reply.one("UpTime") == "-1"
    assert reply.all("ReasonCode")[1].text == "-1069"
    assert reply.one("ReasonCodeString") == "Commanded Out of Service"


def test_an_unknown_service_is_unknown(imp):
    inner = "<s:ServiceStatus>Cisco Nothing</s:ServiceStatus>"
    reply = center(imp.publisher, ALL, inner)
    assert reply.one("ServiceStatus") == "Unknown"
    assert reply.all("ReasonCode")[1].text == "-1010"


def test_stop_and_start_pass_through_states(imp):
    agent = AGENT["imp"]
    assert control(imp.publisher, "Stop", agent).one("ServiceStatus") == "Stopping"
    assert eventually(lambda: status_of(imp.publisher, agent) == "Stopped")
    assert control(imp.publisher, "Start", agent).one("ServiceStatus") == "Starting"
    assert eventually(lambda: status_of(imp.publisher, agent) == "Started")


def test_a_restart_ends_started(imp):
    agent = AGENT["imp"]
    assert control(imp.publisher, "Restart", agent).one("ServiceStatus") == "Stopping"
    assert eventually(lambda: status_of(imp.publisher, agent) == "Started")


@pytest.mark.parametrize(
    ("action", "name", "code"),
    [
        ("Start", "Cisco Intercluster Sync Agent", "-1039"),
        ("Stop", "A Cisco DB", "-1042"),
        ("Restart", "Cisco Tomcat", "-1042"),
        ("Start", "Cisco Nothing", "-1010"),
    ],
)
def test_a_command_that_cannot_be_gets_its_code(imp, action, name, code):
    reply = control(imp.publisher, action, name)
    assert reply.all("ReasonCode")[1].text == code


def test_stopping_what_is_stopped_gets_its_code(imp):
    imp.publisher.service(AGENT["imp"]).set("Stopped")
    reply = control(imp.publisher, "Stop", AGENT["imp"])
    assert reply.all("ReasonCode")[1].text == "-1040"


def test_an_empty_list_is_refused(imp):
    assert control(imp.publisher, "Start").one("ReasonCode") == "-1012"


def test_a_command_for_another_node_does_not_work(imp):
    reply = control(
        imp.publisher, "Stop", AGENT["imp"], node_name=imp.subscribers[0].name
    )
    assert reply.one("ReasonCode") == "-1007"
    assert imp.subscribers[0].service(AGENT["imp"]).is_started


def test_a_service_that_is_not_activated_cannot_be_started(imp):
    reply = control(imp.subscribers[0], "Start", "Cisco Serviceability Reporter")
    assert reply.all("ReasonCode")[1].text == "-1068"


def test_the_static_list_tells_groups(imp):
    reply = center(imp.publisher, "soapGetStaticServiceList", "")
    assert "IM and Presence Services" in {e.text for e in reply.all("GroupName")}


def test_the_extended_list_tells_what_must_not_stop(imp):
    reply = center(imp.publisher, "getStaticServiceListExtended", "", EXTENDED)
    names = [e.text for e in reply.all("ServiceName")]
    restrict = dict(zip(names, [e.text for e in reply.all("Restrict")], strict=True))
    assert restrict["Cisco Tomcat"] == restrict["A Cisco DB"] == "DoNotStop"


def test_the_product_list_tells_the_version(imp):
    reply = center(imp.publisher, "getProductInformationList", "")
    assert reply.one("ActiveServerVersion") == imp.release.version


def test_the_product_list_can_have_a_scrambled_row(imp):
    imp.set_fault("control_center", "scrambled")
    reply = center(imp.publisher, "getProductInformationList", "")
    assert "yes" in {e.text for e in reply.all("ServiceName")}


def test_cup7_has_only_the_legacy_service(cup7):
    assert center(cup7.publisher, ALL).status == 404
    assert legacy(cup7.publisher, ALL).status == 200


def test_an_unqualified_child_is_refused_by_the_new_service(imp):
    assert center(imp.publisher, ALL, "<ServiceStatus/>").status == 500


def test_another_action_is_refused_by_the_new_service(imp):
    headers = {"SOAPAction": '"soapDoControlServices"'}
    assert center(imp.publisher, ALL, headers=headers).status == 500


def test_the_legacy_service_replies_by_reference_on_cup7(cup7):
    reply = legacy(cup7.publisher, ALL)
    part = reply.all("ServiceInformationResponse")[0]
    target = part.get("href").removeprefix("#")
    assert target in {e.get("id") for e in reply.all("multiRef")}


def test_every_reference_of_the_legacy_service_leads_somewhere(cup7):
    reply = legacy(cup7.publisher, ALL)
    known = {f"#{e.get('id')}" for e in reply.all("multiRef")}
    used = {e.get("href") for e in reply.all("item") if e.get("href")}
    assert used and used <= known


def test_the_legacy_service_replies_inline_elsewhere(cup8):
    reply = legacy(cup8.publisher, ALL)
    assert not reply.all("multiRef")
    assert len(reply.all("ServiceName")) == len(cup8.publisher.services)


def test_the_legacy_service_takes_a_body_without_namespace(cup7):
    agent = AGENT["cup7"]
    inner = f"<GetServiceStatusList><item>{agent}</item></GetServiceStatusList>"
    reply = legacy(cup7.publisher, ALL, inner)
    assert [e.text for e in reply.all("ServiceName")] == [agent]


def test_the_legacy_product_list_has_a_capital(cup7):
    right = legacy(cup7.publisher, "GetProductInformationList", "")
    wrong = legacy(cup7.publisher, "getProductInformationList", "")
    assert right.one("ActiveServerVersion") == cup7.release.version
    assert wrong.status == 500


def test_too_many_requests_get_the_rate_fault(imp):
    imp.publisher.control_center_calls.clear()
    imp.publisher.set_fault("control_center", "rate:2")
    statuses = [center(imp.publisher, ALL).status for _ in range(3)]
    assert statuses == [200, 200, 500]


def test_the_rate_fault_has_the_vendors_typing_error(imp):
    imp.publisher.set_fault("control_center", "throttle")
    text = center(imp.publisher, ALL).one("faultstring")
    assert "Exceeded allowed rate for Reatime information" in text


def test_only_the_legacy_service_can_be_left(imp):
    imp.set_fault("control_center", "legacy-only")
    assert center(imp.publisher, ALL).status == 404
    assert legacy(imp.publisher, ALL).status == 200


def test_a_command_can_be_refused_with_a_code(imp):
    imp.publisher.set_fault("control_center", "refuse:-1036")
    reply = control(imp.publisher, "Stop", AGENT["imp"])
    assert reply.all("ReasonCode")[1].text == "-1036"
    assert imp.publisher.service(AGENT["imp"]).is_started


def test_a_service_can_get_stuck_in_starting(imp):
    imp.publisher.set_fault("control_center", "stuck")
    control(imp.publisher, "Restart", AGENT["imp"])
    assert eventually(lambda: status_of(imp.publisher, AGENT["imp"]) == "Starting")
    assert not eventually(
        lambda: status_of(imp.publisher, AGENT["imp"]) == "Started", 0.3
    )
