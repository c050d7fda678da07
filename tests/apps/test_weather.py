"""The weather service and its Smithy model: they agree, and bad input is told as restJson1 tells it."""

import json

import httpx
import pytest

from helpers.apps.weather import MODEL, SERVICE, model

SHAPES = json.loads(model("http://weather.example/"))["shapes"]
OPERATIONS = [each["target"] for each in SHAPES[SERVICE]["operations"]]
HTTP, LABEL, QUERY = "smithy.api#http", "smithy.api#httpLabel", "smithy.api#httpQuery"
JSON = {"smithy.api#String": str, "smithy.api#Integer": int, "smithy.api#Float": (int, float)}


@pytest.fixture(scope="module")
def weather(network):
    return network["b"].start("weather")


def targets(thing):
    """All shape ids that a part of the model points to."""
    if isinstance(thing, dict):
        own = [thing["target"]] if "target" in thing else []
        return own + [target for value in thing.values() for target in targets(value)]
    return [target for value in thing for target in targets(value)] if isinstance(thing, list) else []


def test_the_model_is_whole():
    known = set(SHAPES) | set(JSON)
    assert set(targets(SHAPES)) <= known and set(SHAPES) - {SERVICE} <= set(targets(SHAPES))
    assert "aws.protocols#restJson1" in SHAPES[SERVICE]["traits"]
    assert [name.rpartition("#")[2] for name in OPERATIONS] == ["ListPlaces", "GetCurrentWeather", "GetForecast"]


def test_every_label_of_a_path_is_a_required_member_and_every_member_is_explained():
    for operation in (SHAPES[name] for name in OPERATIONS):
        assert operation["traits"]["smithy.api#documentation"]
        members = SHAPES[operation["input"]["target"]]["members"]
        labels = {name for name, member in members.items() if LABEL in member["traits"]}
        assert labels == {part[1:-1] for part in operation["traits"][HTTP]["uri"].split("/") if part.startswith("{")}
        assert all("smithy.api#required" in members[name]["traits"] for name in labels)
        assert all("smithy.api#documentation" in member["traits"] for member in members.values())


def test_the_address_is_the_one_given_and_nothing_else_differs_from_the_file():
    ours, file = json.loads(model("http://127.0.0.1:1/")), json.loads(MODEL.read_text("utf-8"))
    rules = "smithy.rules#endpointRuleSet"
    assert ours["shapes"][SERVICE]["traits"][rules]["rules"][0]["endpoint"].pop("url") == "http://127.0.0.1:1"
    file["shapes"][SERVICE]["traits"][rules]["rules"][0]["endpoint"].pop("url")
    assert ours == file


def fits(value, target):
    """Whether a part of an answer is what its shape says."""
    if target in JSON:
        return isinstance(value, JSON[target])
    shape = SHAPES[target]
    if shape["type"] == "list":
        return bool(value) and all(fits(each, shape["member"]["target"]) for each in value)
    return set(value) == set(shape["members"]) and all(
        fits(value[name], member["target"]) for name, member in shape["members"].items()
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_service_answers_as_the_model_says(weather, operation):
    uri = SHAPES[operation]["traits"][HTTP]["uri"].format(place="Falkenried")
    answer = httpx.get(weather.url_from("a") + uri)
    assert answer.status_code == 200 and fits(answer.json(), SHAPES[operation]["output"]["target"])


def test_a_forecast_has_as_many_days_as_asked_for_and_three_if_none_are(weather):
    days = {
        asked: httpx.get(f"{weather.url}/places/arnsee/forecast", params=asked and {"days": asked}) for asked in "15"
    }
    assert {asked: len(answer.json()["days"]) for asked, answer in days.items()} == {"1": 1, "5": 5}
    assert len(httpx.get(f"{weather.url}/places/arnsee/forecast").json()["days"]) == 3


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/places/atlantis/weather", 404, "PlaceNotFound"),
        ("/places/%ff/forecast", 404, "PlaceNotFound"),
        ("/places/arnsee/forecast?days=0", 400, "ValidationException"),
        ("/places/arnsee/forecast?days=6", 400, "ValidationException"),
        ("/places/arnsee/forecast?days=²", 400, "ValidationException"),
        ("/places/arnsee/forecast?days=" + "9" * 5000, 400, "ValidationException"),
        ("/climate", 404, "UnknownOperationException"),
    ],
)
def test_errors_name_their_shape_in_a_header_and_the_reason_in_the_body(weather, path, status, kind):
    answer = httpx.get(weather.url + path)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (status, kind) and answer.json()["message"]
    if f"fiction.weather#{kind}" in SHAPES:
        assert SHAPES[f"fiction.weather#{kind}"]["traits"]["smithy.api#httpError"] == status


def test_a_foreign_host_is_refused_and_it_says_that_it_is_well(weather):
    assert httpx.get(f"{weather.url}/places", headers={"Host": "attacker.example"}).status_code == 403
    assert httpx.get(f"{weather.url}/ping").json() == {"status": "Healthy"}
