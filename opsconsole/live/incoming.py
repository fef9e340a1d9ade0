"""Bodies of requests that an endpoint on the event loop looks at before it decides who answers."""

from typing import cast

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent


async def read(receive: ASGIReceiveCallable, *, longest: int) -> list[ASGIReceiveEvent]:
    """The request's events up to its end, or until there are more than `longest` bytes."""
    events: list[ASGIReceiveEvent] = []
    length = 0
    while True:
        event = await receive()
        events.append(event)
        if event["type"] != "http.request":
            return events
        length += len(event["body"])
        if not event["more_body"] or length > longest:
            return events


def whole(events: list[ASGIReceiveEvent]) -> bytes | None:
    """The body, if all of it has come."""
    last = events[-1]
    if last["type"] != "http.request" or last["more_body"]:
        return None
    return b"".join(event["body"] for event in events if event["type"] == "http.request")


def again(events: list[ASGIReceiveEvent], receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """What was read, and then the rest."""
    told = iter(events)

    async def replay() -> ASGIReceiveEvent:
        event = next(told, None)
        return event if event is not None else await receive()

    return cast("ASGIReceiveCallable", replay)
