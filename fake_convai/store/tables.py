"""The tables. SQLite and PostgreSQL share them; `migrations/` builds the same ones, and a test holds the two together.

Moments are whole microseconds since 1970 in UTC, JSON is text, keys and tokens are hashes. An account is a universe:
everything hangs from its row by foreign keys that cascade, so that nothing deleted leaves an orphan behind.

That some indexes are partial on PostgreSQL too stands in `migrations/` alone: to say it here would import that dialect
at every start.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows only in a column declared INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")


def _serial(name: str) -> Column[int]:
    return Column(name, Number, primary_key=True, autoincrement=True)


def _child_of(column: str, **options: Any) -> Column[Any]:
    """A reference that goes when its parent goes; it bears the parent's name unless `name` says otherwise."""
    name = options.pop("name", column.partition(".")[2])
    return Column(name, ForeignKey(column, ondelete="CASCADE"), nullable=False, **options)


server = Table(
    "server",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What all replicas share: the secret that signs cursors.",
)

accounts = Table(
    "accounts",
    metadata,
    _serial("account_id"),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("key_last_four", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("plan", Text),
    Column("dedup", Text, comment="The account's own dedup mode; null is the server's."),
    Column("replies", Text, comment="What characters say, when it is scripted."),
    Column("clock_frozen", Number),
    Column("clock_offset", Number, nullable=False, server_default="0"),
    Column("ids_made", Number, nullable=False, server_default="0", comment="How many ids, when they are seeded."),
    Column("rate_second", Number, comment="The second that rate_count counts the requests of."),
    Column("rate_count", Number, nullable=False, server_default="0"),
    Column("journal_dropped", Number, nullable=False, server_default="0"),
    Column("pace", Text, comment="How fast characters answer."),
    Column("lag", Text, comment="How late what is written appears."),
    Column("messages_dropped", Number, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _child_of("accounts.account_id", index=True),
    Column("expires_at", Number, nullable=False),
    Column("revoked", Boolean, nullable=False),
)

characters = Table(
    "characters",
    metadata,
    _serial("character_seq"),
    _child_of("accounts.account_id"),
    Column("character_id", Text, nullable=False, index=True),
    Column("character_name", Text, nullable=False),
    Column("voice_type", Text, nullable=False),
    Column("backstory", Text, nullable=False),
    Column("listing", Text, nullable=False),
    Column("language_codes", Text, nullable=False),
    Column("character_actions", Text, nullable=False),
    Column("memory_enabled", Boolean, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("model_details", Text, comment="Null is what all start with."),
    UniqueConstraint("account_id", "character_id"),
    sqlite_autoincrement=True,
)

speakers = Table(
    "speakers",
    metadata,
    _serial("speaker_seq"),
    _child_of("accounts.account_id"),
    Column("speaker_id", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("device_id", Text),
    Column("end_user_id", Text),
    Column("end_user_metadata", Text, nullable=False, server_default="{}"),
    Column("last_active_at", Number),
    UniqueConstraint("account_id", "device_id"),
    UniqueConstraint("account_id", "end_user_id"),
    sqlite_autoincrement=True,
    comment="People. One with an end_user_id is an end user.",
)
_is_end_user = speakers.c.end_user_id.is_not(None)
Index(
    "ix_speakers_end_users",
    speakers.c.account_id,
    speakers.c.speaker_seq,
    sqlite_where=_is_end_user,
)

ltm_usage = Table(
    "ltm_usage",
    metadata,
    _child_of("speakers.speaker_seq", primary_key=True, autoincrement=False),
    Column("at", Number),
    comment="When memory of a person was last read or written: not in their row, which a read must not change.",
)

activity = Table(
    "activity",
    metadata,
    _serial("activity_seq"),
    _child_of("accounts.account_id"),
    _child_of("speakers.speaker_id"),
    Column("at", Number, nullable=False),
    Index("ix_activity_account", "account_id", "activity_seq"),
    Index("ix_activity_speaker", "speaker_id", "activity_seq"),
    sqlite_autoincrement=True,
    comment="When people were active, so that a list walked with a cursor can be filtered as of the walk's start.",
)

partitions = Table(
    "partitions",
    metadata,
    _serial("partition_seq"),
    Column("partition", Text, nullable=False, unique=True, comment="speaker_id:character_id"),
    _child_of("speakers.speaker_id", index=True),
    _child_of("characters.character_seq", index=True),
    Column(
        "has_unindexed",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Whether some of its memories have no keys yet.",
    ),
    sqlite_autoincrement=True,
)

memories = Table(
    "memories",
    metadata,
    _serial("memory_seq"),
    _child_of("partitions.partition_seq"),
    Column("id", Text, nullable=False),
    Column("memory", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("updated_at", Number, nullable=False),
    Column("gone_at", Number, comment="When a delayed delete-all takes the record away."),
    UniqueConstraint("partition_seq", "id"),
    Index("ix_memories_order", "partition_seq", "created_at", "memory_seq"),
    sqlite_autoincrement=True,
)
_is_going = memories.c.gone_at.is_not(None)
Index(
    "ix_memories_gone",
    memories.c.partition_seq,
    memories.c.gone_at,
    sqlite_where=_is_going,
)

memory_keys = Table(
    "memory_keys",
    metadata,
    Column("partition_seq", Number, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    _child_of("memories.memory_seq", primary_key=True, index=True),
    sqlite_with_rowid=False,
    comment="Which records of a partition may overlap with a fact: those that share one of its keys.",
)

conversations = Table(
    "conversations",
    metadata,
    _serial("conversation_seq"),
    _child_of("accounts.account_id"),
    Column("character_session_id", Text, nullable=False, index=True),
    _child_of("characters.character_seq", index=True),
    Column("speaker_id", ForeignKey("speakers.speaker_id", ondelete="SET NULL"), index=True),
    Column("started_at", Number, nullable=False),
    Column("is_added_to_memory", Boolean, nullable=False),
    Column(
        "is_deleted",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Gone from the history, but still carried by a session.",
    ),
    Column("lines_said", Text, comment="How often each scripted sequence was said."),
    UniqueConstraint("account_id", "character_session_id"),
    sqlite_autoincrement=True,
    comment="Chat history: what the API calls a sessionID there and a character_session_id elsewhere.",
)

turns = Table(
    "turns",
    metadata,
    _serial("turn_seq"),
    _child_of("conversations.conversation_seq", index=True),
    Column("session_id", Text, index=True, comment="The live session it was said in."),
    Column("at", Number, nullable=False),
    Column("user_message", Text, nullable=False),
    Column("character_message", Text, nullable=False),
    Column("is_trigger_input", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

live_sessions = Table(
    "live_sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    _child_of("accounts.account_id"),
    _child_of("conversations.conversation_seq", index=True),
    Column("speaker_id", ForeignKey("speakers.speaker_id", ondelete="SET NULL"), index=True),
    Column("transport", Text, nullable=False),
    Column("room_name", Text, nullable=False),
    Column("shared_session_key", Text),
    Column("max_num_participants", Number, nullable=False),
    Column("started_at", Number, nullable=False),
    Column("last_seen_at", Number, nullable=False),
    Column("ended_at", Number),
    Column("holder", Text, comment="The process that has its WebSocket."),
    Column("known_facts", Text, nullable=False, server_default="[]", comment="As they were at connect."),
    Column("action_config", Text),
    comment="Connections; the conversation that one carries may go on in another.",
)
_is_open = live_sessions.c.ended_at.is_(None)
Index("ix_live_sessions_open", live_sessions.c.account_id, sqlite_where=_is_open)

rosters = Table(
    "rosters",
    metadata,
    Column("room_session_id", Text, primary_key=True),
    _child_of("accounts.account_id"),
    Column("room_name", Text, nullable=False),
    Column("shared_session_key", Text),
    Column("max_num_participants", Number, nullable=False),
    Column("roster", Text, nullable=False, comment="Who is in it and whom people talk to, as JSON."),
    Column("people", Text, nullable=False, comment="Their sessions with each instance, as JSON."),
    Column("ended_at", Number),
    comment="Rooms with several characters.",
)

faults = Table(
    "faults",
    metadata,
    _serial("fault_seq"),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True),
    Column("fault", Text, nullable=False),
    Column("times", Number, comment="How often it will still happen; null is always."),
    Column("happened", Number, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
    comment="Errors on demand; one without an account happens to all.",
)

stubs = Table(
    "stubs",
    metadata,
    _serial("stub_seq"),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True),
    Column("stub_match", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("times", Number, comment="How often it will still answer; null is always."),
    sqlite_autoincrement=True,
    comment="Answers on demand; one without an account is for all.",
)

journal = Table(
    "journal",
    metadata,
    _serial("journal_seq"),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE")),
    Column("surface", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Number, nullable=False),
    Column("entry", Text, nullable=False),
    Column("size", Number, nullable=False, comment="Bytes of the entry."),
    Index("ix_journal_account", "account_id", "journal_seq", "size"),
    sqlite_autoincrement=True,
)

pending = Table(
    "pending",
    metadata,
    _serial("pending_seq"),
    _child_of("accounts.account_id", index=True),
    Column("kind", Text, nullable=False),
    Column("speaker_id", ForeignKey("speakers.speaker_id", ondelete="CASCADE"), index=True),
    Column("conversation_seq", ForeignKey("conversations.conversation_seq", ondelete="CASCADE"), index=True),
    Column("due_at", Number),
    Column("reads_left", Number),
    Column("said", Text, comment="What is to be remembered."),
    sqlite_autoincrement=True,
    comment="What was written and does not show yet.",
)

messages = Table(
    "messages",
    metadata,
    _serial("message_seq"),
    _child_of("accounts.account_id"),
    Column("session_id", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("type", Text),
    Column("entry", Text, nullable=False),
    Column("size", Number, nullable=False, server_default="0", comment="Bytes of the entry."),
    Index("ix_messages_account", "account_id", "message_seq", "size"),
    sqlite_autoincrement=True,
    comment="The frames of live sessions, the newest so many of each account.",
)

snapshots = Table(
    "snapshots",
    metadata,
    _child_of("accounts.account_id", primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("size", Number, nullable=False, comment="Bytes of the content."),
)
