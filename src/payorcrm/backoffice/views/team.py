"""The team: who may do what, and inviting colleagues."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from payorcrm.backoffice.access import NotYourRole, for_owners, for_staff, member_of, staff_invitation_of
from payorcrm.backoffice.settings_sections import render_section
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Role, Staff
from payorcrm.staff.change_role import change_role, remove_from_staff
from payorcrm.staff.invite import invite_colleague, send_again, withdraw
from payorcrm.staff.models import StaffInvitation
from payorcrm.staff.queries import team_of
from payorcrm.staff.second_factor import has_factor, reset_for_colleague

MAY = {
    Role.OWNER: "Owner – everything, settings and team included",
    Role.COLLECTOR: "Collector – customers, invoices, payments, reminders",
    Role.VIEWER: "Viewer – sees everything, changes nothing",
}


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(choices=list(MAY.items()), initial=Role.COLLECTOR)


class RoleForm(forms.Form):
    """What a colleague may do."""

    role = forms.ChoiceField(choices=list(MAY.items()))


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def team(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the team and who is invited; an owner's POST invites somebody."""
    if request.method == "POST" and not staff.can_change_settings():
        raise NotYourRole
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _is_invited(request, staff, form):
        return redirect("backoffice:team", merchant_slug=staff.merchant.slug)
    waiting = StaffInvitation.objects.waiting().filter(merchant=staff.merchant).select_related("invited_by")
    shown = {"form": form, "team": team_of(staff.merchant), "waiting": waiting.order_by("-id"), "now": clock.now()}
    return render_section(request, "team", "backoffice/team_list.html", shown)


def _is_invited(request: HttpRequest, staff: Staff, form: InviteForm) -> bool:
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    try:
        invite_colleague(merchant=staff.merchant, email=email, role=role, invited_by=staff.user, now=clock.now())
    except Refused as refusal:
        form.add_error("email", str(refusal))
        return False
    messages.success(request, f"An invitation is on its way to {email}. Its link works for seven days.")
    return True


@require_POST
@for_owners
def invitation_again(request: HttpRequest, staff: Staff, invitation_id: UUID) -> HttpResponse:
    """Mail an invitation once more; the earlier link ends. Raises InvitationIsOver, InvitedJustNow."""
    invitation = send_again(staff_invitation_of(staff, invitation_id), now=clock.now())
    messages.success(request, f"A new link is on its way to {invitation.email}; the earlier one has ended.")
    return redirect("backoffice:team", merchant_slug=staff.merchant.slug)


@require_POST
@for_owners
def invitation_withdraw(request: HttpRequest, staff: Staff, invitation_id: UUID) -> HttpResponse:
    """End an invitation. Raises InvitationIsOver."""
    invitation = staff_invitation_of(staff, invitation_id)
    withdraw(invitation, now=clock.now())
    messages.success(request, f"The invitation of {invitation.email} is withdrawn; its link opens nothing.")
    return redirect("backoffice:team", merchant_slug=staff.merchant.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@for_owners
def member(request: HttpRequest, staff: Staff, staff_id: UUID) -> HttpResponse:
    """Show a colleague's role; a POST changes it. Raises LastOwner."""
    colleague = member_of(staff, staff_id)
    form = RoleForm(request.POST or None, initial={"role": colleague.role})
    if request.method == "POST" and form.is_valid():
        change_role(colleague, role=Role(form.cleaned_data["role"]))
        messages.success(request, f"{colleague.user} is {Role(form.cleaned_data['role']).label.lower()} now.")
        return redirect("backoffice:team", merchant_slug=staff.merchant.slug)
    shown = {"form": form, "colleague": colleague, "is_self": colleague.id == staff.id}
    shown["has_factor"] = has_factor(colleague.user)
    return render_section(request, "team", "backoffice/team_member.html", shown)


@require_POST
@for_owners
def member_reset(request: HttpRequest, staff: Staff, staff_id: UUID) -> HttpResponse:
    """Let a colleague who lost the second factor set one up anew. Raises BelongsToOthersToo."""
    colleague = member_of(staff, staff_id)
    reset_for_colleague(colleague, now=clock.now())
    messages.success(request, f"{colleague.user} is signed out everywhere, and sets up a new second factor.")
    return redirect("backoffice:team", merchant_slug=staff.merchant.slug)


@require_POST
@for_owners
def member_remove(request: HttpRequest, staff: Staff, staff_id: UUID) -> HttpResponse:
    """End a colleague's access at once. Raises LastOwner."""
    colleague = member_of(staff, staff_id)
    is_self = colleague.id == staff.id
    remove_from_staff(colleague)
    messages.success(request, f"{colleague.user} can no longer open the back office of {staff.merchant}.")
    return redirect("home_after_sign_in") if is_self else redirect("backoffice:team", merchant_slug=staff.merchant.slug)
