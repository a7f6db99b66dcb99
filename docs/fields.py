"""For the reference: all fields of a struct, in the order of the source, and what common fields mean."""

from __future__ import annotations

from typing import Any

import griffe

ATTRIBUTES = griffe.DocstringSectionKind.attributes

# Fields of the same name mean the same in each struct; a docstring that describes its field takes precedence.
COMMON = {
    "agent_mode": "The strategy and the tools of an agent.",
    "annotation_reply": "Whether annotated answers replace those of the model.",
    "admin_feedback_stats": "Likes and dislikes of console users.",
    "annotated": "Whether one of its messages has an annotation.",
    "answer": "The answer.",
    "answer_tokens": "Tokens of the answer.",
    "app_id": "The app's id.",
    "app_name": "The app's name.",
    "author_name": "The name of the account that created it.",
    "avatar": "The id of the picture.",
    "avatar_url": "The URL of the picture.",
    "chat_prompt_config": 'The prompt for a chat model, if `prompt_type` is "advanced".',
    "completion_prompt_config": 'The prompt for a completion model, if `prompt_type` is "advanced".',
    "conversation_count": "The number of conversations.",
    "conversation_id": "The conversation's id.",
    "created_at": "When it was created, in Unix seconds.",
    "created_by": "The account that created it.",
    "dataset_configs": "The knowledge bases, and how they are searched.",
    "dataset_query_variable": "The variable to search the knowledge bases for, in a completion app.",
    "date": "A calendar day in the account's time zone.",
    "description": "The description.",
    "dislike": "The number of dislikes.",
    "elapsed_time": "The duration in seconds.",
    "email": "The email address.",
    "enable_api": "Whether the app can be called with an API key.",
    "enable_site": "Whether the app has a public page.",
    "error": "Why it failed.",
    "exceptions_count": "The number of nodes that failed without ending the run.",
    "external_data_tools": "APIs from which variables get their values.",
    "feedbacks": "The likes and dislikes.",
    "file_upload": "Whether users can upload files, and which.",
    "finished_at": "When it ended, in Unix seconds.",
    "from_account_id": "The id of the console user; None for end users.",
    "from_account_name": "The name of the console user; None for end users.",
    "from_end_user_id": "The id of the end user; None for console users.",
    "from_source": '"api" for end users, "console" for console users.',
    "hit_count": "How often it was used.",
    "icon": "The emoji, or the id of the image.",
    "icon_background": 'The color behind the icon, such as "#FFEAD5".',
    "icon_type": '"emoji", "image" or "link".',
    "icon_url": "The URL of the image.",
    "id": "The id.",
    "inputs": "The values of the app's variables.",
    "interactions": "Messages per conversation, or runs per user.",
    "last_active_at": "The last activity, in Unix seconds.",
    "last_login_at": "The last login, in Unix seconds.",
    "latency": "The average in milliseconds.",
    "like": "The number of likes.",
    "message_count": "The number of messages.",
    "message_tokens": "Tokens of the prompt.",
    "more_like_this": "Whether users can request more answers like one.",
    "name": "The name.",
    "opening_statement": "The first message of each conversation.",
    "pre_prompt": 'The prompt, if `prompt_type` is "simple".',
    "prompt_type": '"simple" or "advanced".',
    "query": "The question.",
    "question": "The question.",
    "rate": "Likes per 1000 messages.",
    "rating": '"like" or "dislike".',
    "retriever_resource": "Whether answers name the documents that they use.",
    "runs": "The number of workflow runs.",
    "sensitive_word_avoidance": "How questions and answers are moderated.",
    "session_id": "The name that the calling application gave.",
    "status": "The status, as Dify names it.",
    "status_count": "The number of workflow runs per status.",
    "speech_to_text": "Whether users can speak their questions.",
    "suggested_questions": "The questions that a new conversation suggests.",
    "suggested_questions_after_answer": "Whether each answer suggests further questions.",
    "tags": "The tags.",
    "terminal_count": "The number of end users.",
    "text_to_speech": "Whether answers can be read aloud, and with which voice.",
    "token_count": "The number of tokens.",
    "total_steps": "The number of nodes that ran.",
    "total_tokens": "The number of tokens.",
    "tps": "Tokens per second.",
    "updated_at": "When it was last changed, in Unix seconds.",
    "updated_by": "The account that changed it last.",
    "use_icon_as_answer_icon": "Whether answers show the app's icon.",
    "user_feedback_stats": "Likes and dislikes of end users.",
    "user_input_form": "The variables that users fill in.",
    "version": "The workflow's version.",
    "workflow_run_id": "The id of the workflow run; None for apps without a workflow.",
}


class Fields(griffe.Extension):
    """Puts what a class annotates into the section "Attributes" of its docstring."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Called with each class that was read."""
        own = [one for one in cls.members.values() if isinstance(one, griffe.Attribute)]
        fields = [one for one in own if one.annotation and not one.name.startswith("_")]
        if cls.docstring is None or not fields:
            return
        sections = cls.docstring.parse()
        said = [one for part in sections if part.kind is ATTRIBUTES for one in part.value]
        # The status of an event is that of HTTP.
        common = {} if cls.module.name == "events" else COMMON
        texts = {**common, **{one.name: one.description for one in said}}
        names = {one.name for one in fields}
        # A docstring may also describe inherited fields.
        inherited = [one for one in said if one.name not in names]
        listed = [
            griffe.DocstringAttribute(
                one.name, annotation=one.annotation, description=texts.get(one.name, "")
            )
            for one in [*fields, *inherited]
        ]
        others = [part for part in sections if part.kind is not ATTRIBUTES]
        cls.docstring.parsed = [*others, griffe.DocstringSectionAttributes(listed)]


class LazyNames(griffe.Extension):
    """Lets `from .models import *` include the models that are imported when they are first used."""

    def on_members(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called with each object whose members were read."""
        if obj.path == "dify_async.models":
            for member in obj.members.values():
                member.runtime = True
