import pytest
from django.db import transaction
from django.test import Client

from accounts.roles import Role
from tests.conftest import person
from tests.security.matrix import MATRIX, OPEN
from tests.security.people import sign_in
from tests.security.routes import Route, routes

pytestmark = pytest.mark.long

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES = {route.name: route for route in routes()}
DECLARED = [name for name in ROUTES if name not in OPEN]


@pytest.fixture(scope="module")
def signed_in(module_db):
    """One person of each role."""
    return {role: sign_in(person(role.value, role), role) for role in Role}


@pytest.fixture
def people(signed_in, db):
    """One person of each role, and nobody."""
    return {None: None, **signed_in}


def test_every_route_stands_in_the_matrix():
    assert set(ROUTES) - OPEN == set(MATRIX)
    assert set(ROUTES) >= OPEN


def test_forms_of_other_sites_are_taken_by_one_page_only():
    pages = [route for route in routes() if not route.is_api]
    exempt = [page.name for page in pages if getattr(page.view, "csrf_exempt", False)]
    assert exempt == ["accounts:saml_answer"]


def test_every_route_has_a_name_of_its_own():
    assert len(routes()) == len(ROUTES)
    assert all(name.split(":")[-1] for name in ROUTES)


def test_metrics_refuse_a_stranger(db):
    assert Client().get(ROUTES["metrics"].url).status_code == 401


@pytest.mark.parametrize("name", sorted(OPEN - {"metrics"}))
def test_open_route_answers_without_a_sign_in(db, name):
    # Where something must come first, it leads on to the sign-in.
    response = Client().get(ROUTES[name].url, follow=True)
    assert response.status_code == 200


@pytest.mark.parametrize("name", DECLARED)
def test_route_gives_each_role_what_the_matrix_says(people, name):
    assert list(faults(ROUTES[name], people)) == []


@pytest.mark.parametrize("name", DECLARED)
def test_removed_permission_is_noticed(people, name, monkeypatch):
    route = ROUTES[name]
    for method, needed in MATRIX[name].items():
        if needed == Role.VIEWER:
            continue
        with monkeypatch.context() as patch:
            patch.setitem(route.declarations, route.action(method), Role.VIEWER)
            found = list(faults(route, people, [method]))
            assert found, f"{method} without its permission"


def test_rest_refuses_by_session_what_it_refuses_by_token(people):
    client = people[Role.VIEWER].browser()
    for name in DECLARED:
        for method, needed in MATRIX[name].items():
            if name.startswith("api:") and needed != Role.VIEWER:
                status = client.generic(method, ROUTES[name].url).status_code
                assert status == 403, f"{method} {name}"


def test_user_without_a_role_may_do_nothing(db, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_user("nina"))
    for name in DECLARED:
        for method in MATRIX[name]:
            status = client.generic(method, ROUTES[name].url).status_code
            assert status == 403, f"{method} {name}"


def faults(route: Route, people, methods=METHODS):
    """Yield what differs from the matrix, role by role and method by method."""
    for role, one in people.items():
        for method in methods:
            seen = outcome(route, one, method)
            wanted = expected(route, role, method)
            if seen != wanted:
                yield f"{method} {route.name} as {role}: {seen}, not {wanted}"


def expected(route: Route, role: Role | None, method: str) -> str:
    needed = MATRIX[route.name].get(method)
    if role is None:
        return "sign in"
    if needed is None:
        return "no such method"
    return "allowed" if role.covers(needed) else "refused"


def outcome(route: Route, user, method: str) -> str:
    """What one request comes to; nothing of it stays, not even a sign-out."""
    with transaction.atomic():
        response = client_for(route, user).generic(method, route.url)
        transaction.set_rollback(True)
    location = response.headers.get("Location", "")
    if response.status_code == 401 or "/sign-in/" in location and user is None:
        return "sign in"
    known = {403: "refused", 405: "no such method"}
    return known.get(response.status_code) or (
        "allowed" if response.status_code < 500 else str(response.status_code)
    )


def client_for(route: Route, user):
    if user is None:
        return Client()
    return user.script() if route.is_api else user.browser()
