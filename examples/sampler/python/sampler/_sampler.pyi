from cueline.processors import CapsuleType

def processor() -> CapsuleType:
    """A new processor, for cueline.AudioEngine(processor=...)."""
