"""Audit events as sentences: what stands after the actor's name. An action that is not listed is shown as it is."""

from opsconsole.audit.models import AuditEvent

# {label} is the object's own words, {scope} its scope or the whole label, {status} what it is since then.
PHRASES = {
    "accounts.signed_in": ("login", "signed in"),
    "accounts.signed_out": ("logout", "signed out"),
    "accounts.sign_in_failed": ("alert-triangle", "failed to sign in"),
    "accounts.token_created": ("user", "made the token {label}"),
    "accounts.token_revoked": ("user", "revoked the token {label}"),
    "accounts.service_account_created": ("user", "made the service account {label}"),
    "accounts.administrator_created": ("user", "made the administrator {label}"),
    "alerts.rule_changed": ("pencil", "changed the alert rule {label}"),
    "alerts.response_time_changed": ("pencil", "changed the response time of {label}"),
    "alerts.label_rule_created": ("pencil", "made {label}"),
    "alerts.label_rule_changed": ("pencil", "changed {label}"),
    "alerts.label_rule_deleted": ("pencil", "deleted {label}"),
    "alerts.silence_created": ("bell-off", "made {label}"),
    "alerts.silence_updated": ("bell-off", "changed {label}"),
    "alerts.silence_expired": ("bell", "ended {label}"),
    "alerts.channel_created": ("send", "made the channel {label}"),
    "alerts.channel_changed": ("send", "changed the channel {label}"),
    "alerts.channel_deleted": ("send", "deleted the channel {label}"),
    "alerts.channel_tested": ("send", "tested the channel {label}"),
    "alerts.delivery_resent": ("send", "sent again: {label}"),
    "alerts.acknowledged": ("check", "acknowledged {label}"),
    "alerts.unacknowledged": ("alert-triangle", "let go of {label}"),
    "alerts.resolved": ("circle-check", "resolved {label}"),
    "alerts.assigned": ("user", "assigned {label}"),
    "alerts.escalated": ("alert-triangle", "escalated {label}"),
    "alerts.escalation_withheld": ("clock", "did not escalate {label}"),
    "alerts.button_refused": ("lock", "was refused a button of {label}"),
    "alerts.chat_linked": ("user", "linked {label}"),
    "alerts.chat_unlinked": ("user", "unlinked {label}"),
    "alerts.link_code_made": ("user", "made a code to link a chat"),
    "killswitch.activated": ("player-stop", "stopped {scope}"),
    "killswitch.rearmed": ("lock-open", "re-armed {scope}"),
    "killswitch.stopped": ("circle-check", "complete, every process has stopped: {label}"),
    "killswitch.drill_started": ("target", "started a drill"),
    "killswitch.drill_proven": ("target", "complete, every process was measured: {label}"),
    "checklist.signed": ("checkbox", "signed off the {label}"),
    "checklist.rule_changed": ("pencil", "changed when the checklist is due"),
    "killswitch.drill_rule_changed": ("pencil", "changed when drills are due"),
    "watchdog.lost": ("alert-triangle", "missed the canary at: {label}"),
    "watchdog.back": ("check", "heard the canary again at: {label}"),
    "killswitch.client_registered": ("plug-connected", "connected {label}"),
    "killswitch.cancel_orders": ("x", "told processes to cancel open orders"),
    "killswitch.close_positions": ("x", "told processes to close positions"),
    "killswitch.override_began": ("alert-triangle", "began to override stops: {label}"),
    "killswitch.override_ended": ("check", "ended the override: {label}"),
    "killswitch.local_stop_began": ("lock", "stopped on its own host: {label}"),
    "killswitch.local_stop_ended": ("lock-open", "ended its own host's stop: {label}"),
    "breakers.opened": ("octagon", "opened the circuit breaker {label}"),
    "breakers.closed": ("circle-check", "closed the circuit breaker {label}"),
    "breakers.reset": ("refresh", "reset the circuit breaker {label}"),
    "breakers.reset_all": ("refresh", "reset all circuit breakers"),
    "breakers.forced_open": ("lock", "forced the circuit breaker {label} open"),
    "breakers.forced_closed": ("lock", "forced the circuit breaker {label} closed"),
    "breakers.released": ("lock-open", "released the circuit breaker {label}"),
    "breakers.hold_expired": ("clock", "ended the hold of {label}: its time was over"),
    "breakers.tuned": ("pencil", "tuned the circuit breaker {label}"),
    "health.changed": ("activity-heartbeat", "found {label} {status}"),
    "health.changed_settings": ("pencil", "tuned the health check of {label}"),
    "health.added": ("pencil", "added the target {label}"),
    "health.removed": ("pencil", "removed the target {label}"),
    "audit.lost_key_accepted": ("lock-open", "accepted what a lost key had sealed: {label}"),
    "incidents.started": ("route", "started the incident {label}"),
    "incidents.runbook_opened": ("route", "opened a runbook in the incident {label}"),
    "incidents.alert_joined": ("bell", "joined an alert to the incident {label}"),
    "incidents.noted": ("message-2", "noted in the incident {label}"),
    "incidents.step_done": ("check", "did a step of the incident {label}"),
    "incidents.step_taken_back": ("refresh", "took back a step of the incident {label}"),
    "incidents.closed": ("circle-check", "closed the incident {label}"),
    "runbooks.created": ("pencil", "wrote the runbook {label}"),
    "runbooks.changed": ("pencil", "changed the runbook {label}"),
    "runbooks.deleted": ("pencil", "deleted the runbook {label}"),
    "alerts.channel_resealed": ("lock", "sealed the secrets of the channel {label} again"),
}


def icon_of(event: AuditEvent) -> str:
    return PHRASES.get(event.action, ("pencil", ""))[0]


def words_of(event: AuditEvent) -> str:
    phrase = PHRASES.get(event.action)
    if phrase is None:
        return f"{event.action} {event.object_label}".strip()
    scope = event.object_label.split(" ", 1)[0]
    status = event.after.get("status", "") if isinstance(event.after, dict) else ""
    return phrase[1].format(
        label=event.object_label, scope="everything" if scope == "global" else scope, status=status
    )
