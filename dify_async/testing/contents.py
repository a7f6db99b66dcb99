"""What a fake server contains: apps, workspaces, accounts, statistics, messages and workflow runs."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Unpack

from dify_async._uncopyable import Uncopyable
from dify_async.testing._console import own_messages
from dify_async.testing._console.models import AppFields, FakeAccount, FakeApp
from dify_async.testing._console.own_messages import Price
from dify_async.testing._console.own_statistics import StatisticValue, set_statistics
from dify_async.testing._console.state import DEFAULT_TIMEZONE, State


class Contents(Uncopyable):
    """The methods of `FakeDifyServer` that change its contents."""

    _instead = "pass its base_url, email and password to the other process"
    _state: State

    def add_app(self, name: str, mode: str, **fields: Unpack[AppFields]) -> FakeApp:
        """Add an app; `fields` are the other fields of `FakeApp`."""
        return self._state.add_app(FakeApp(name=name, mode=mode, **fields))

    def set_statistics(self, app: FakeApp | str, metric: str, days: Mapping[date, StatisticValue]) -> None:
        """Set the numbers of a statistic.

        The first call removes the generated rows of this statistic; further calls add days or replace them.
        Other statistics, conversations and messages stay the same, and messages that are added do not change
        a statistic that was set. Days are calendar days in the time zone of the account that asks.

            fake.set_statistics(app, "daily_messages", {date(2026, 10, 30): 120, date(2026, 10, 31): 80})

        Args:
            app: A `FakeApp` of this server, or its id.
            metric: The name of the client's method, such as "daily_messages".
            days: The number of each day, such as the token count of "token_costs", or a mapping with the
                fields of its row: `{"token_count": 1200, "total_price": "0.36", "currency": "EUR"}`. None
                removes the row, as on a day without traffic.

        Raises:
            ValueError: The metric does not apply to the app's mode, a day is after `today`, or a number is
                invalid.
        """
        with self._state.lock:
            set_statistics(self._state, self._state.own_app(app), metric, days)

    def add_message(
        self,
        app: FakeApp | str,
        at: datetime | None = None,
        *,
        conversation: str | None = None,
        user: str | None = None,
        question: str = "",
        answer: str = "",
        input_tokens: int = 0,
        output_tokens: int = 0,
        cost: Price | None = 0,
        latency: float = 1.0,
        liked: bool = False,
    ) -> str:
        """Add a message, and return the id of its conversation.

        The message counts in the app's conversations, messages, feedback and all statistics of its day except
        those that `set_statistics` has set. In an advanced-chat app, it is a workflow run as well. Use
        `messages_per_day=0` for an app without generated messages.

        Args:
            app: A `FakeApp` of this server, or its id; of any mode except "workflow".
            at: When it was sent, within the 400 days up to `today`; by default, noon of `today`. A naive
                datetime is in the owner's time zone.
            conversation: The id of a conversation that this method has started; by default, a new one.
            user: The session id of the end user; by default, "visitor" or the user of the conversation.
            question: What the user asked. The first question is also the title of the conversation.
            answer: What the app answered.
            input_tokens: Tokens of the question.
            output_tokens: Tokens of the answer.
            cost: The price in USD, with at most 7 decimal places; None if it is unknown.
            latency: Seconds until the answer was complete.
            liked: Whether the user liked the answer.

        Raises:
            ValueError: The app has no messages, or an argument is invalid.
        """
        with self._state.lock:
            return own_messages.add_message(
                self._state,
                self._state.own_app(app),
                at,
                conversation=conversation,
                user=user,
                question=question,
                answer=answer,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cost=cost,
                latency=latency,
                liked=liked,
            )

    def add_run(
        self,
        app: FakeApp | str,
        at: datetime | None = None,
        *,
        user: str = "visitor",
        status: str = "succeeded",
        tokens: int = 0,
        elapsed: float = 1.0,
    ) -> str:
        """Add a run of a workflow app, and return its id.

        The run counts in the app's runs, its log and all workflow statistics of its day except those that
        `set_statistics` has set.

        Args:
            app: A `FakeApp` of mode "workflow" of this server, or its id.
            at: When it started, within the 400 days up to `today`; by default, noon of `today`. A naive
                datetime is in the owner's time zone.
            user: The session id of the end user.
            status: "succeeded", "failed", "stopped" or "partial-succeeded".
            tokens: The number of tokens.
            elapsed: Seconds until the run ended.

        Raises:
            ValueError: The app is not a workflow, or an argument is invalid.
        """
        with self._state.lock:
            return own_messages.add_run(
                self._state,
                self._state.own_app(app),
                at,
                user=user,
                status=status,
                tokens=tokens,
                elapsed=elapsed,
            )

    def add_workspace(self, name: str) -> str:
        """Add a workspace to every account, and return its id."""
        workspace_id = self._state.new_id("workspace")
        self._state.workspaces[workspace_id] = name
        return workspace_id

    def login_code(self, token: str | None = None) -> str:
        """The code mailed for this token of POST /email-code-login; by default the newest code."""
        codes = self._state.login_codes
        return codes[next(reversed(codes)) if token is None else token][1]

    def add_account(
        self,
        email: str,
        password: str,
        *,
        workspace: bool = True,
        banned: bool = False,
        timezone: str | None = DEFAULT_TIMEZONE,
    ) -> FakeAccount:
        """Add an account, which can log in if it has a `workspace` and is not `banned`.

        If `timezone` is None, its statistics fail with a 500, as on a server.
        """
        return self._state.add_account(
            email, password, timezone=timezone, role="admin", workspace=workspace, banned=banned
        )

    def remove_account(self, email: str) -> None:
        """Delete an account; its tokens get a 401 "Unauthorized." from now on."""
        self._state.accounts.remove(email)
