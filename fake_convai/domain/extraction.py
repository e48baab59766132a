def extract_facts(said: str) -> list[str]:
    if said.startswith("My name is "): return [f"The user's name is {said[11:].strip('.')}."]
    return []
