"""The search, the REST documentation and health."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.views import SpectacularJSONAPIView
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from rest_framework.exceptions import AuthenticationFailed

from accounts import cluster_limits
from accounts.access import DeclaredAccess, Role, access, open_to_all
from accounts.authentication import token_of
from accounts.http import Request
from cupadmin import console_metrics, readiness
from cupadmin import search as finding
from jobs.processes import with_jobs
from ui import help as chapters

MOST_RESULTS = 20
MOST_SUGGESTIONS = 5


@access(get=Role.VIEWER)
def search_console(request: Request) -> HttpResponse:
    """One field over pages, actions, clusters, nodes, peers, jobs and users."""
    term = term_of(request)
    results = finding.find_all(request, term, MOST_RESULTS)
    # The offer to look into the directory is always there.
    context = {"search_query": term, "results": results, "nothing": len(results) == 1}
    return render(request, "search.html", context)


@access(get=Role.VIEWER)
def suggest_results(request: Request) -> HttpResponse:
    """What the search field offers while a person types."""
    term = term_of(request)
    results = finding.suggest_hits(request, term, MOST_SUGGESTIONS)
    return render(request, "_suggestions.html", {"term": term, "results": results})


def term_of(request: Request) -> str:
    return request.GET.get("q", "").strip().replace("\0", "")[: finding.LONGEST_QUERY]


@access(get=Role.VIEWER)
def help_index(request: Request) -> HttpResponse:
    return render(request, "help/index.html", {"chapters": chapters.chapters()})


@access(get=Role.VIEWER)
def help_chapter(request: Request, chapter: str) -> HttpResponse:
    """A chapter of the docs."""
    title = chapters.chapters().get(chapter)
    if title is None:
        raise Http404("There is no such chapter.")
    context = {"title": title, "html": chapters.html_of(chapter)}
    return render(request, "help/chapter.html", context)


class Schema(SpectacularJSONAPIView):
    """The OpenAPI description."""

    permission_classes = (DeclaredAccess,)
    access = {"get": Role.VIEWER}


schema = Schema.as_view()


# Swagger UI draws its icons from data: addresses; only this page allows them.
@access(get=Role.VIEWER)
@csp_update({"img-src": ["data:"]})  # type: ignore[arg-type]
def api_docs(request: Request) -> HttpResponse:
    """Interactive pages of the REST interface; nothing comes from another host."""
    return render(request, "rest/docs.html")


@open_to_all
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


class HealthMiddleware:
    """Answers /healthz before anything that could wait for the database.

    It also answers under any host name and without TLS, as load balancers ask.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return healthz(request)
        return self.get_response(request)


@open_to_all
def readyz(request: HttpRequest) -> HttpResponse:
    """Ready means: the database answers, and jobs that wait are taken.

    With `deep=1` it means that every part of the console works, each with a sentence.
    """
    depth = request.GET.get("deep", "0")
    if depth not in ("0", "1"):
        return JsonResponse({"status": "The value of deep is 0 or 1."}, status=400)
    if depth == "1":
        ready, checks = readiness.check_deeply()
        return JsonResponse({"checks": checks}, status=200 if ready else 503)
    sentence = readiness.why_not_ready()
    return JsonResponse({"status": sentence or "ok"}, status=503 if sentence else 200)


@access(get=Role.OPERATOR)
def processes(request: Request) -> HttpResponse:
    """System > Processes: what runs where, and what the console needs of it."""
    found, jobs = with_jobs()
    context = {
        "processes": [(process, jobs.get(process.pk)) for process in found],
        "checks": readiness.cached_checks.get(),
    }
    name = "_processes.html" if request.htmx else "processes.html"
    return render(request, name, context)


@open_to_all
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for a token or an address in METRICS_NETWORKS."""
    try:
        admitted = may_scrape(request)
    except AuthenticationFailed as error:
        return refuse_metrics(f"{error}\n")
    if not admitted:
        return refuse_metrics("Send a token of this console.\n")
    return HttpResponse(
        console_metrics.metrics_text(), content_type=CONTENT_TYPE_PLAIN_0_0_4
    )


def refuse_metrics(sentence: str) -> HttpResponse:
    response = HttpResponse(sentence, status=401, content_type="text/plain")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def may_scrape(request: HttpRequest) -> bool:
    """Whether a token or the sender's address allows it; narrows what is seen."""
    token = token_of(request)
    if token is not None:
        return token.effective_role is not None
    address = ip_address(request.META["REMOTE_ADDR"] or "0.0.0.0")  # noqa: S104
    trusted = any(address in ip_network(text) for text in settings.METRICS_NETWORKS)
    if trusted:
        cluster_limits.narrow_limit(None)
    return trusted
