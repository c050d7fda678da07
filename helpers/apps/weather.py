"""The weather at the stores and the factory, over REST as a Smithy model describes it (restJson1).

    python -m helpers.apps.weather --port 8000
    python -m helpers.apps.weather --model http://127.0.0.1:8000

The second command prints the model, in Smithy's JSON AST, with that address as its endpoint.
"""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpers.apps.command import parser, run
from helpers.apps.retail import FOLDER, table
from helpers.apps.serving import serve_rest

MODEL = FOLDER / "weather.smithy.json"
SERVICE = "fiction.weather#Weather"
RULES = "smithy.rules#endpointRuleSet"
NUMBERS = ("low_c", "high_c", "rain_mm")


def model(url: str) -> str:
    """The Smithy model of the service at `url`, as text."""
    made = json.loads(MODEL.read_text("utf-8"))
    made["shapes"][SERVICE]["traits"][RULES]["rules"][0]["endpoint"]["url"] = url.rstrip("/")
    return json.dumps(made, indent=2, ensure_ascii=False)


class Weather:
    """The operations; days are those of the table, and now is the first of them."""

    def __init__(self) -> None:
        self.days: dict[str, list[dict[str, Any]]] = {}
        for row in table("weather"):
            day = row | {name: float(row[name]) for name in NUMBERS} | {"wind_kmh": int(row["wind_kmh"])}
            self.days.setdefault(row["place"], []).append({k: v for k, v in day.items() if k != "place"})

    async def list_places(self, request: Request) -> Response:
        """ListPlaces."""
        return JSONResponse({"places": list(self.days)})

    async def get_current_weather(self, request: Request) -> Response:
        """GetCurrentWeather."""
        place = self._place(request)
        day = self.days[place][0]
        warmth = round((day["low_c"] + day["high_c"]) / 2, 1)
        now = {"sky": day["sky"], "temperature_c": warmth, "wind_kmh": day["wind_kmh"]}
        return JSONResponse({"place": place, "day": day["day"]} | now)

    async def get_forecast(self, request: Request) -> Response:
        """GetForecast."""
        place = self._place(request)
        most, asked = len(self.days[place]), request.query_params.get("days", "3")
        if asked not in map(str, range(1, most + 1)):
            raise HTTPException(400, f"days must be a whole number from 1 to {most}, not {asked!r}.")
        return JSONResponse({"place": place, "days": self.days[place][: int(asked)]})

    def _place(self, request: Request) -> str:
        name: str = request.path_params["place"]
        if name.lower() not in self.days:
            raise HTTPException(404, f"There is no weather for {name!r}. There are {', '.join(self.days)}.")
        return name.lower()


async def _refused(request: Request, error: Exception) -> Response:
    """As restJson1 tells errors: their shape's name in a header, their members in the body."""
    assert isinstance(error, HTTPException)
    known = {400: "ValidationException", 404: "PlaceNotFound"}
    shape = known.get(error.status_code) if "place" in request.path_params else None
    headers = {"x-amzn-errortype": shape or "UnknownOperationException"} | dict(error.headers or {})
    return JSONResponse({"message": error.detail}, error.status_code, headers)


def application() -> Starlette:
    """The service."""
    weather = Weather()
    return Starlette(
        routes=[
            Route("/places", weather.list_places),
            Route("/places/{place}/weather", weather.get_current_weather),
            Route("/places/{place}/forecast", weather.get_forecast),
        ],
        exception_handlers={HTTPException: _refused},
    )


def main() -> None:
    arguments = parser(__doc__ or "", agent=False)
    arguments.add_argument("--model", metavar="URL", help="print the Smithy model of a service at URL, and end")
    given = arguments.parse_args()
    if given.model:
        print(model(given.model))
    else:
        serve_rest(application(), given)


if __name__ == "__main__":
    run(main)
