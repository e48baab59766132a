"""What sessions know and do: facts as they were at connect, pace, lag, the frames that were exchanged"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("pace", sa.Text(), nullable=True, comment="How fast characters answer."))
    op.add_column("accounts", sa.Column("lag", sa.Text(), nullable=True, comment="How late what is written appears."))
    op.add_column("accounts", sa.Column("messages_dropped", _number, server_default="0", nullable=False))
    op.add_column(
        "conversations",
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Gone from the history, but still carried by a session.",
        ),
    )
    op.add_column(
        "conversations",
        sa.Column("lines_said", sa.Text(), nullable=True, comment="How often each scripted sequence was said."),
    )
    op.add_column(
        "live_sessions",
        sa.Column("known_facts", sa.Text(), server_default="[]", nullable=False, comment="As they were at connect."),
    )
    op.add_column("live_sessions", sa.Column("action_config", sa.Text(), nullable=True))
    op.add_column("faults", sa.Column("happened", _number, server_default="0", nullable=False))
    op.create_table(
        "pending",
        sa.Column("pending_seq", _number, autoincrement=True, nullable=False),
        sa.Column("account_id", _number, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("speaker_id", sa.Text(), nullable=True),
        sa.Column("conversation_seq", _number, nullable=True),
        sa.Column("due_at", _number, nullable=True),
        sa.Column("reads_left", _number, nullable=True),
        sa.Column("said", sa.Text(), nullable=True, comment="What is to be remembered."),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_pending_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["speaker_id"], ["speakers.speaker_id"], name=op.f("fk_pending_speaker_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_seq"],
            ["conversations.conversation_seq"],
            name=op.f("fk_pending_conversation_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pending_seq", name=op.f("pk_pending")),
        comment="What was written and does not show yet.",
        sqlite_autoincrement=True,
    )
    for column in ("account_id", "speaker_id", "conversation_seq"):
        op.create_index(op.f(f"ix_pending_{column}"), "pending", [column], unique=False)
    op.create_table(
        "messages",
        sa.Column("message_seq", _number, autoincrement=True, nullable=False),
        sa.Column("account_id", _number, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_messages_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_seq", name=op.f("pk_messages")),
        comment="The frames of live sessions, the newest so many of each account.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_account", "messages", ["account_id", "message_seq"], unique=False)
