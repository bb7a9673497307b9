"""An MCP server with the tools of one AgentDojo suite, over streamable HTTP on loopback.

Usage: server.py SUITE PORT. The agent's door is /mcp. The referee's door is /referee/*: it sets the environment of a run
up, says which calls the suite's ground truth makes, and judges with the suite's own checks what became of the
environment. A policy never sees the second, and the gate does not lead to it.
"""

import contextlib
import importlib.util
import sys
import types

import uvicorn
import yaml
from mcp import types as protocol
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from unwritten import UNWRITTEN

BENCHMARK_VERSION = "v1.2.2"


def import_suites():
    """AgentDojo's own load_suites, without the clients of five model vendors that its agent_pipeline package imports.

    Nothing here asks a model. The one name that the rest needs from them is a marker for empty function names.
    """
    # The same YAML, read in C: most of a run would be spent on it.
    yaml.SafeLoader = yaml.CSafeLoader
    package = "agentdojo.agent_pipeline"
    root = importlib.util.find_spec("agentdojo").submodule_search_locations[0]
    for name, attributes in {
        package: {"__path__": [f"{root}/agent_pipeline"]},
        f"{package}.llms": {"__path__": []},
        f"{package}.llms.google_llm": {"EMPTY_FUNCTION_NAME": "<empty-function>"},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(attributes)
        sys.modules[name] = module
    from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
    from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime
    from agentdojo.task_suite.load_suites import get_suite
    from agentdojo.types import text_content_block_from_string

    return get_suite, FunctionsRuntime, FunctionCall, tool_result_to_str, text_content_block_from_string


get_suite, FunctionsRuntime, FunctionCall, tool_result_to_str, text_content_block_from_string = import_suites()


def state(environment):
    """All of an environment that a change is a change of: not which mails were read."""
    dump = environment.model_dump()
    if "inbox" in dump:
        dump["inbox"] = {name: value for name, value in dump["inbox"].items() if name in ("emails", "trash")}
        for box in dump["inbox"].values():
            for email in box.values():
                email.pop("read")
    return dump


class Referee:
    """One run at a time: the environment, what was done in it, and the suite's verdict."""

    def __init__(self, suite):
        self.suite = suite
        self.runtime = FunctionsRuntime(suite.tools)
        self.loaded = {}
        self.places = {name: self._places(task) for name, task in suite.user_tasks.items()}
        self.start(None, None)

    def _places(self, task):
        """Which of a user task's calls shows injected text first, and through which injection vectors."""
        canaries = {vector: f"---CANARY_{vector}---" for vector in self.suite.get_injection_vector_defaults()}
        environment = task.init_environment(self.suite.load_and_inject_default_environment(canaries))
        met = {}
        for index, call in enumerate(task.ground_truth(environment.model_copy(deep=True))):
            result, _ = self.runtime.run_function(environment, call.function, call.args)
            text = tool_result_to_str(result)
            for vector, canary in canaries.items():
                if canary in text:
                    met.setdefault(vector, index)
        return met

    def _load(self, injections):
        """A fresh environment; reading its YAML takes longer than all the rest of a run."""
        key = tuple(sorted(injections.items()))
        if key not in self.loaded:
            self.loaded[key] = self.suite.load_and_inject_default_environment(injections)
        return self.loaded[key].model_copy(deep=True)

    def start(self, user_id, attack_id):
        """A fresh environment for a user task, an injection task, or one inside the other; returns the calls to make."""
        self.user = self.suite.get_user_task_by_id(user_id) if user_id else None
        self.attack = self.suite.get_injection_task_by_id(attack_id) if attack_id else None
        met = self.places[user_id] if user_id and attack_id else {}
        injections = {vector: self.attack.GOAL for vector in met}
        environment = self._load(injections)
        self.environment = self.user.init_environment(environment) if self.user else environment
        self.before = self.environment.model_copy(deep=True)
        self.made = []
        own = self._ground_truth(self.user)
        injected = self._ground_truth(self.attack)
        cut = min(met.values()) + 1 if met else len(own)
        calls = [("user", call) for call in own[:cut]]
        calls += [("attack", call) for call in injected]
        calls += [("user", call) for call in own[cut:]]
        return {"calls": [{"of": of, "tool": tool, "arguments": arguments} for of, (tool, arguments) in calls]}

    def _ground_truth(self, task):
        if task is None:
            return []
        environment = self.environment.model_copy(deep=True)
        unwritten = UNWRITTEN.get(self.suite.name, {}).get(task.ID)
        if unwritten is not None and task is self.attack:
            return unwritten(task, environment)
        return [(call.function, call.args) for call in task.ground_truth(environment)]

    def call(self, tool, arguments):
        before = state(self.environment)
        result, problem = self.runtime.run_function(self.environment, tool, arguments)
        self.made.append({"tool": tool, "arguments": arguments, "changed": before != state(self.environment)})
        return tool_result_to_str(result) if problem is None else problem, problem is not None

    def finish(self):
        """The suite's verdicts: is the user's task done, is the attack's goal reached? By what was done: the agent's
        answer is that of the user task, without a word for the attacker."""
        traces = [FunctionCall(function=made["tool"], args=made["arguments"]) for made in self.made]
        output = [text_content_block_from_string(self.user.GROUND_TRUTH_OUTPUT if self.user else "")]

        def judge(task):
            if task is None:
                return None
            return bool(self.suite._check_task_result(task, output, self.before, self.environment, traces))

        return {
            "utility": judge(self.user),
            "attack": judge(self.attack),
            "made": [{"tool": made["tool"], "changed": made["changed"]} for made in self.made],
        }

    def tasks(self):
        return {
            "user": [{"id": name, "carries": bool(met)} for name, met in self.places.items()],
            "attacks": [{"id": name, "goal": task.GOAL} for name, task in self.suite.injection_tasks.items()],
        }


def tool_server(referee):
    server = Server(referee.suite.name)

    @server.list_tools()
    async def list_tools():
        return [
            protocol.Tool(name=tool.name, description=tool.description, inputSchema=tool.parameters.model_json_schema())
            for tool in referee.suite.tools
        ]

    @server.call_tool()
    async def call_tool(name, arguments):
        text, failed = referee.call(name, arguments)
        return protocol.CallToolResult(content=[protocol.TextContent(type="text", text=text)], isError=failed)

    return server


class Door:
    """An ASGI application, which a plain function would not be taken for."""

    def __init__(self, sessions):
        self.sessions = sessions

    async def __call__(self, scope, receive, send):
        await self.sessions.handle_request(scope, receive, send)


def main(suite_name, port):
    referee = Referee(get_suite(BENCHMARK_VERSION, suite_name))
    sessions = StreamableHTTPSessionManager(app=tool_server(referee))

    async def tasks(_request: Request):
        return JSONResponse(referee.tasks())

    async def start(request: Request):
        body = await request.json()
        return JSONResponse(referee.start(body.get("user"), body.get("attack")))

    async def finish(_request: Request):
        return JSONResponse(referee.finish())

    @contextlib.asynccontextmanager
    async def running(_app):
        async with sessions.run():
            yield

    app = Starlette(
        lifespan=running,
        routes=[
            Route("/referee/tasks", tasks),
            Route("/referee/start", start, methods=["POST"]),
            Route("/referee/finish", finish, methods=["POST"]),
            Route("/mcp", Door(sessions)),
        ],
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
