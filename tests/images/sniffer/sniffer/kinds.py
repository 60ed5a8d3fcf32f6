import magic


def kind(content: bytes) -> str:
    return magic.from_buffer(content, mime=True)
