"""How far each customer has come on the way into the portal, for lists, in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, models

from payorcrm.customers.invite_guests import KIND
from payorcrm.customers.models import PortalAccess


class InvitationState(models.TextChoices):
    """How far an access is. A customer with several users is as far as the one who is farthest."""

    NOT_INVITED = "not_invited", "Not invited"
    EXPIRED = "expired", "Invitation expired"
    MAIL_FAILED = "mail_failed", "Mail failed"
    INVITED = "invited", "Invited"
    SIGNS_IN = "signs_in", "Has login"


_ORDER = list(InvitationState)


@dataclass(frozen=True, slots=True)
class AccessState:
    """How far one user, or one customer, is."""

    state: InvitationState
    invited_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def has_login(self) -> bool:
        """Say whether somebody can sign in with a password of their own."""
        return self.state is InvitationState.SIGNS_IN


def access_states_of(customer_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, AccessState]:
    """Return the state of every customer; of several users', the farthest one and the latest moments."""
    found: dict[UUID, list[AccessState]] = {customer_id: [] for customer_id in customer_ids}
    for customer_id, _, state in _states("customer_id", customer_ids, now):
        found[customer_id].append(state)
    return {customer_id: _together(states) for customer_id, states in found.items()}


def states_of_accesses(accesses: Iterable[PortalAccess], *, now: datetime) -> dict[UUID, AccessState]:
    """Return the state of every access that has not been removed."""
    ids = [access.id for access in accesses]
    return {access_id: state for _, access_id, state in _states("id", ids, now)}


def invitation_state(access: PortalAccess, *, now: datetime) -> InvitationState:
    """Return how far one access is."""
    states = states_of_accesses([access], now=now)
    return states[access.id].state if access.id in states else InvitationState.NOT_INVITED


def _states(column: str, ids: Sequence[UUID], now: datetime) -> list[tuple[UUID, UUID, AccessState]]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_STATES.format(column=column), {"ids": list(ids), "now": now, "kind": KIND})
        rows = cursor.fetchall()
    return [
        (customer_id, access_id, AccessState(InvitationState(state), invited_at, last_used_at))
        for customer_id, access_id, state, invited_at, last_used_at in rows
    ]


def _together(states: list[AccessState]) -> AccessState:
    if not states:
        return AccessState(InvitationState.NOT_INVITED)
    return AccessState(
        max((one.state for one in states), key=_ORDER.index),
        max((one.invited_at for one in states if one.invited_at), default=None),
        max((one.last_used_at for one in states if one.last_used_at), default=None),
    )


# Of a user called "known": a password of their own, or an account elsewhere by which they sign in.
CAN_SIGN_IN = """(known.password NOT LIKE '!%%' OR EXISTS (
    SELECT FROM socialaccount_socialaccount AS elsewhere WHERE elsewhere.user_id = known.id
))"""
_STATES = f"""
SELECT access.customer_id, access.id,
    CASE
        WHEN {CAN_SIGN_IN} THEN 'signs_in'
        WHEN invitation.id IS NULL THEN 'not_invited'
        WHEN invitation.expires_at <= %(now)s THEN 'expired'
        WHEN mail.state IN ('failed', 'bounced') THEN 'mail_failed'
        ELSE 'invited'
    END,
    invitation.invited_at, access.last_used_at
FROM customers_portalaccess AS access
JOIN core_user AS known ON known.id = access.user_id
LEFT JOIN customers_invitation AS invitation ON invitation.access_id = access.id
LEFT JOIN LATERAL (
    SELECT state FROM mail_mail WHERE kind = %(kind)s AND about_id = invitation.id
    ORDER BY queued_at DESC, id DESC LIMIT 1
) AS mail ON true
WHERE access.{{column}} = ANY(%(ids)s) AND access.removed_at IS NULL
"""  # noqa: S608
