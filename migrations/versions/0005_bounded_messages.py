"""How large the frames of live sessions are, so that they can be bounded together"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "messages", sa.Column("size", _number, server_default="0", nullable=False, comment="Bytes of the entry.")
    )
    op.execute("UPDATE messages SET size = length(entry)")
    op.drop_index(op.f("ix_messages_account"), table_name="messages")
    op.create_index(op.f("ix_messages_account"), "messages", ["account_id", "message_seq", "size"], unique=False)
