"""A trace that begins here, because its caller is not trusted (`helpers.sites.trust`), is linked to the caller's."""

from opentelemetry.context import Context, get_value, set_value
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanContext

from helpers.sites.trust import STRANGER


class LinkStrangers(SpanProcessor):
    """Links the first span of such a trace."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Link it, if it is the first one."""
        given = get_value(STRANGER, parent_context)
        if span.parent is None and isinstance(given, SpanContext):
            span.add_link(given)


class KeepStrangers(TextMapPropagator):
    """Lets servers know of the stranger, that extract a context of their own from the headers; it sends nothing."""

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """The context with what the current one has of a stranger."""
        given, context = get_value(STRANGER), context or Context()
        return context if given is None else set_value(STRANGER, given, context)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Nothing: it does not concern whoever is called."""

    @property
    def fields(self) -> set[str]:
        """None."""
        return set()
