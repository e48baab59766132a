"""Rooms with several characters"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rosters",
        sa.Column("room_session_id", sa.Text(), nullable=False),
        sa.Column("account_id", _number, nullable=False),
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("shared_session_key", sa.Text(), nullable=True),
        sa.Column("max_num_participants", _number, nullable=False),
        sa.Column("roster", sa.Text(), nullable=False, comment="Who is in it and whom people talk to, as JSON."),
        sa.Column("people", sa.Text(), nullable=False, comment="Their sessions with each instance, as JSON."),
        sa.Column("ended_at", _number, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_rosters_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_session_id", name=op.f("pk_rosters")),
        comment="Rooms with several characters.",
    )
