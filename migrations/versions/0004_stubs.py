"""Answers of one's own, and what a character looks like"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "characters", sa.Column("model_details", sa.Text(), nullable=True, comment="Null is what all start with.")
    )
    op.create_table(
        "stubs",
        sa.Column("stub_seq", _number, autoincrement=True, nullable=False),
        sa.Column("account_id", _number, nullable=True),
        sa.Column("stub_match", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("times", _number, nullable=True, comment="How often it will still answer; null is always."),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_stubs_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stub_seq", name=op.f("pk_stubs")),
        comment="Answers on demand; one without an account is for all.",
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_stubs_account_id"), "stubs", ["account_id"], unique=False)
