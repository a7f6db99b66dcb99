"""The nodes of workflow runs: their models, tokens and prices add up to those of the run."""

from typing import Any

from dify_async.testing._console.handlers.app_bodies import MODELS
from dify_async.testing._console.handlers.people import creator
from dify_async.testing._console.handlers.pricing import usage_of
from dify_async.testing._console.handlers.workflows import GRAPH_MODES
from dify_async.testing._console.history import Message
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.models import FakeApp, make_id
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State

_CLASSIFIER_SHARE = 10  # one in this many tokens is used by the classifier, with another model


def node_executions(state: State, call: Call) -> Reply:
    """GET /apps/{id}/workflow-runs/{id}/node-executions: no nodes for an unknown run."""
    app = state.find_app(call, GRAPH_MODES)
    run = state.traffic.history(app).by_run.get(call.ids["run_id"])
    return json_reply({"data": [] if run is None else _nodes(state, app, run)})


def _nodes(state: State, app: FakeApp, run: Message) -> list[dict[str, Any]]:
    whole = run.tokens - run.answer_tokens, run.answer_tokens, run.price or 0
    small = [number // _CLASSIFIER_SHARE for number in whole]
    large = [number - part for number, part in zip(whole, small, strict=True)]
    nodes = (
        ("start", None),
        ("llm", _process_data(MODELS[0], large, run.latency)),
        ("question-classifier", _process_data(MODELS[1], small, run.latency)),
        ("end", None),
    )
    return [
        _node(state, app, run, {"index": index, "node_id": kind, "node_type": kind}, data)
        for index, (kind, data) in enumerate(nodes, start=1)
    ]


def _process_data(model: dict[str, Any], amounts: list[int], latency: int) -> dict[str, Any]:
    prompt, answer, price = amounts
    return {
        "model_mode": "chat",
        "prompts": [],
        "usage": usage_of(prompt, answer, price, latency),
        "finish_reason": "stop",
        "model_provider": model["provider"],
        "model_name": model["name"],
    }


def _node(
    state: State, app: FakeApp, run: Message, node: dict[str, Any], data: dict[str, Any] | None
) -> dict[str, Any]:
    usage = data["usage"] if data else {}
    totals = {name: usage[name] for name in ("total_tokens", "total_price", "currency") if usage}
    body = {
        "id": make_id(app.id, "node", run.conversation, run.at, node["index"]),
        "predecessor_node_id": None,
        "title": node["node_type"],
        **node,
        "inputs": {},
        "process_data": data,
        "outputs": {},
        "status": "succeeded",
        "error": None,
        "elapsed_time": run.latency / 1000,
        "execution_metadata": totals,
        "extras": {},
        "created_at": run.at,
        **creator(state, app, run.user),
        "finished_at": run.at + max(1, run.latency // 1000),
    }
    truncated = ("inputs_truncated", "outputs_truncated", "process_data_truncated")
    return body | (dict.fromkeys(truncated, False) if state.rules.truncates_nodes else {})


ROUTES: list[Route] = [
    Route("GET", "/apps/<uuid:app_id>/workflow-runs/<uuid:run_id>/node-executions", node_executions)
]
