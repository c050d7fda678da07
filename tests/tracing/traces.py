"""Traces as the workshop makes them: an orchestrator and a gateway in a Region, a store, and a factory."""

from dataclasses import dataclass, field

from helpers.tracing.spans import Span

MS = 1_000_000
BEGIN = 1_790_000_000_000 * MS  # in September 2026
ORCHESTRATOR, GATEWAY = ("oregon", "orchestrator"), ("oregon", "gateway")
STOCK, AGENT = ("falkenried", "stock"), ("falkenried", "stock-agent")
TELEMETRY = ("bergedorf", "telemetry")


@dataclass
class Maker:
    """Makes spans of one trace; `clocks` says by how many ms the clock of a site is ahead."""

    trace: int = 1
    clocks: dict[str, int] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    def __call__(self, of, name, start, ms, under=None, *, kind="INTERNAL", error=None, events=(), **attributes):
        """Make a span that begins `start` ms after the trace and takes `ms`; `under` is its parent or its id."""
        site, service = of
        zero = BEGIN + self.clocks.get(site, 0) * MS
        given = {key.replace("__", "."): value for key, value in attributes.items()}
        span = Span(
            trace_id=f"{self.trace:032x}",
            span_id=f"{self.trace:08x}{len(self.spans) + 1:08x}",
            parent_id=under.span_id if isinstance(under, Span) else under or "",
            name=name,
            kind=kind,
            start=zero + int(start * MS),
            end=zero + int((start + ms) * MS),
            status="ERROR" if error else "UNSET",
            service=service,
            site=site,
            attributes=given | ({"error.type": error} if error else {}),
            events=tuple({"name": n, "time": zero + int(at * MS), "attributes": {}} for n, at in events),
        )
        self.spans.append(span)
        return span

    def chat(self, of, model, start, ms, under, tokens):
        """A call of a model."""
        counts = {"gen_ai__usage__input_tokens": tokens[0], "gen_ai__usage__output_tokens": tokens[1]}
        return self(of, f"chat {model}", start, ms, under, kind="CLIENT", **counts)

    def tool(self, to, tool, start, ms, under, *, far=(), error=None):
        """A tool called through the gateway; `far` are the events of the last link. Gives the span that does it."""
        execute = self(ORCHESTRATOR, f"execute_tool {tool}", start, ms, under, error=error)
        ask = self(ORCHESTRATOR, "POST /mcp", start + 2, ms - 4, execute, kind="CLIENT", error=error)
        serve = self(GATEWAY, f"tools/call {tool}", start + 6, ms - 12, ask, kind="SERVER")
        self(GATEWAY, "authorise", start + 7, 3, serve)
        go = self(GATEWAY, f"POST {to[0]}", start + 12, ms - 20, serve, kind="CLIENT", error=error, events=far)
        return self(to, f"tools/call {tool}", start + 42, ms - 80, go, kind="SERVER", error=error)


def question(clocks=None):
    """One question to the orchestrator: stock is looked up and written off, a machine asked, an agent consulted."""
    make = Maker(clocks=clocks or {})
    root = make(ORCHESTRATOR, "invoke_agent orchestrator", 0, 6400)
    make.chat(ORCHESTRATOR, "claude-sonnet-4", 15, 1180, root, (312, 24))
    look = make.tool(STOCK, "stock_of", 1210, 140, root)
    make(STOCK, "SELECT stock", 1260, 9, look, kind="CLIENT")
    discard = make.tool(STOCK, "discard_stock", 1370, 1500, root)
    waits = [("approval.asked", 1440), ("approval.given", 2700)]
    make(STOCK, "approve discard_stock", 1430, 1290, discard, events=waits)
    make(STOCK, "UPDATE stock", 2740, 14, discard, kind="CLIENT")
    cut = [("link.cut", 3000), ("link.mended", 3420)]
    make.tool(TELEMETRY, "history", 2890, 900, root, far=cut, error="TimeoutError")
    call = make(ORCHESTRATOR, "POST /a2a", 3810, 1490, root, kind="CLIENT")
    agent = make(AGENT, "invoke_agent stock-agent", 3850, 1400, call, kind="SERVER")
    make.chat(AGENT, "qwen3-0.6b", 3860, 900, agent, (1204, 88))
    make(AGENT, "embeddings bge-small", 4780, 45, agent, kind="CLIENT", gen_ai__usage__input_tokens=36)
    make.chat(AGENT, "qwen3-0.6b", 4840, 400, agent, (1410, 31))
    make.chat(ORCHESTRATOR, "claude-sonnet-4", 5320, 1060, root, (2480, 196))
    return make.spans


def unconnected(clocks=None):
    """What is seen when the gateway does not pass on the trace: two traces of one question."""
    one, other = Maker(1, clocks or {}), Maker(2, clocks or {})
    root = one(ORCHESTRATOR, "invoke_agent orchestrator", 0, 900)
    one(ORCHESTRATOR, "POST /mcp", 100, 700, root, kind="CLIENT")
    serve = other(STOCK, "tools/call stock_of", 140, 600, kind="SERVER")
    other(STOCK, "SELECT stock", 150, 500, serve, kind="CLIENT")
    return [*one.spans, *other.spans]


def many(count=2000, *, names=None):
    """A root, and below it calls with a query each; `names` different names of calls."""
    make = Maker()
    root = make(ORCHESTRATOR, "invoke_agent orchestrator", 0, count * 10)
    for n in range((count - 1) // 2):
        name = "chat" if names is None else f"chat {n % names}"
        error = "TimeoutError" if n % 100 == 99 else None
        call = make(STOCK, name, n * 20, 15, root, kind="SERVER", error=error)
        make(STOCK, "SELECT stock", n * 20 + 1, 5, call, kind="CLIENT")
    while len(make.spans) < count:
        make(ORCHESTRATOR, "last", count * 10 - 5, 5, root)
    return make.spans


def chain(depth):
    """Spans each below the one before."""
    make, under = Maker(), None
    for n in range(depth):
        under = make(ORCHESTRATOR, f"step {n}", n, 2 * depth - 2 * n, under)
    return make.spans


def busy():
    """Many calls each way: seven questions, a supplier behind the store, and a store that calls back."""
    spans = []
    for trace in range(1, 8):
        make = Maker(trace)
        root = make(ORCHESTRATOR, "invoke_agent orchestrator", 0, 4000)
        for n in range(trace):
            make.tool(STOCK, "stock_of", 10 + 200 * n, 120 + 10 * n, root)
        make.tool(TELEMETRY, "history", 2000, 400, root, error="TimeoutError" if trace % 3 == 0 else None)
        ask = make(ORCHESTRATOR, "POST /a2a", 2500, 1200, root, kind="CLIENT")
        agent = make(AGENT, "invoke_agent stock-agent", 2540, 1100, ask, kind="SERVER")
        back = make(AGENT, "POST /mcp", 2600, 300, agent, kind="CLIENT")
        serve = make(GATEWAY, "tools/call price_of", 2640, 220, back, kind="SERVER")
        call = make(GATEWAY, "POST falkenried", 2642, 200, serve, kind="CLIENT")
        make(AGENT, "tools/call price_of", 2680, 120, call, kind="SERVER")
        order = make(AGENT, "POST /orders", 3000, 500, agent, kind="CLIENT")
        make(("supplier", "orders"), "POST /orders", 3050, 400, order, kind="SERVER")
        make(STOCK, "UPDATE stock", 3550, 30, agent, kind="SERVER")
        spans += make.spans
    return spans
