from cueline.processors import CapsuleType

def processor() -> CapsuleType:
    """Return a new processor, for cueline.AudioEngine(processor=...)."""
