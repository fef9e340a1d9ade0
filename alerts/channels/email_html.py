"""A story as the HTML part of a mail: no pictures, no scripts, nothing that is fetched."""

from html import escape

from alerts.channels.story import Story, more

_PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"></head>'
    '<body style="margin:0;padding:16px;color:#1f2933;background:#ffffff;font:15px/1.45 sans-serif">{}</body></html>'
)


def html(story: Story) -> str:
    parts = [
        f'<h1 style="margin:0 0 8px;font-size:19px">{escape(story.headline)}</h1>',
        *(f'<p style="margin:0;color:#52606d">{escape(line)}</p>' for line in story.status),
    ]
    if story.text:
        parts.append(f'<p style="margin:16px 0;white-space:pre-wrap">{escape(story.text)}</p>')
    if story.facts:
        parts.append(f'<table style="border-collapse:collapse;margin:16px 0">{_rows(story)}</table>')
    if story.lines:
        items = "".join(f"<li>{escape(line)}</li>" for line in story.lines)
        parts.append(f'<ul style="margin:16px 0;padding-left:20px">{items}</ul>')
    if story.left_out:
        parts.append(f"<p>{escape(more(story))}</p>")
    if story.link:
        parts.append(f'<p style="margin:16px 0"><a href="{escape(story.link)}">Open in the console</a></p>')
    return _PAGE.format("".join(parts))


def _rows(story: Story) -> str:
    return "".join(
        f'<tr><td style="padding:2px 16px 2px 0;color:#52606d">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in story.facts
    )
