"""Logs in, creates a plan, executes it and waits for its end, with a client that was generated from the document.

Usage: use_client.py URL, with the generated package `agent_api` on PYTHONPATH. Prints the plan's last status.
"""

import sys

from agent_api import AuthenticatedClient, Client
from agent_api.api.auth import log_in
from agent_api.api.events import list_events
from agent_api.api.plans import create_plan, execute_plan, find_plan, list_plans
from agent_api.models import CreatePlan, CreateTask, KindView, Login, PlanStatusView, Problem, SelectTask

url = sys.argv[1]
session = log_in.sync(client=Client(base_url=url), body=Login(username="demo", password="demo123"))
client = AuthenticatedClient(base_url=url, token=session.access_token, raise_on_unexpected_status=True)

task = CreateTask(description="Say hello", kind=KindView.COMMAND, command=["echo", "hello"])
body = CreatePlan(goal="Use what was generated", tasks=[task])
created = create_plan.sync(client=client, body=body, idempotency_key="generated-1")
again = create_plan.sync(client=client, body=body, idempotency_key="generated-1")
assert created.plan_id == again.plan_id and created.status is PlanStatusView.CREATED, (created, again)

accepted = execute_plan.sync(client=client, plan_id=created.plan_id, body=SelectTask())
assert accepted.success is True, accepted
after, status = 0, None
while status is not PlanStatusView.COMPLETED:
    page = list_events.sync(client=client, plan_id=created.plan_id, after=after, wait_ms=10_000)
    assert page.events, "nothing happens"
    after = page.next_after
    found = find_plan.sync(client=client, plan_id=created.plan_id)
    status = found.plan.status
assert found.tasks[0].completed is True and found.statistics.progress == 100.0, found
assert list_plans.sync(client=client, q="generated").total == 1

problem = find_plan.sync(client=client, plan_id=999)
assert isinstance(problem, Problem) and problem.code == "plan_not_found", problem
print(status)
