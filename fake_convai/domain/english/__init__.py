"""The English that deduplication, extraction and replies share: word tables, base forms, texts as tokens."""
