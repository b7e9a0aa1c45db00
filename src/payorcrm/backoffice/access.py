"""Who may see and do what in the back office. Only here does an id from an address become an object.

A view is given its member of staff by `for_staff` (anyone), `for_collectors` (may change things) or `for_owners`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from payorcrm.backoffice.audit import answer_and_record
from payorcrm.backoffice.second_factor import is_missing, lead_to_it
from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.models import Contact, Customer, InvitationRun, Note, PortalAccess
from payorcrm.invoices.models import ImportFile, Invoice, InvoiceFile
from payorcrm.mail.models import Mail, Suppression
from payorcrm.merchants.branding import brand_of
from payorcrm.merchants.models import Staff
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import Payment
from payorcrm.reminders.models import DayRun, Hold, ReminderTemplate, Rule, TemplateVersion
from payorcrm.reminders.rehearsal_models import KeptRehearsal
from payorcrm.staff.models import AuditEntry, StaffInvitation
from payorcrm.statements.models import StatementRule, StatementRun
from payorcrm.ui.signed_out import lead_to_sign_in

View = Callable[..., HttpResponseBase]


class NotYourRole(Refused):
    """A member of staff asked for something that the role does not allow."""

    code = "not_your_role"
    status: ClassVar[int] = 403
    message = "Your role does not allow this. Nothing was changed. An owner of the account can change your role."


def for_staff(view: View) -> View:
    """Let any member of the merchant's staff in, as `request.staff`; others learn nothing, not even that it exists."""
    return _guarded(view, lambda staff: True)


def for_collectors(view: View) -> View:
    """Let in who may change things."""
    return _guarded(view, Staff.can_change)


def for_owners(view: View) -> View:
    """Let in who may change what the merchant is."""
    return _guarded(view, Staff.can_change_settings)


def for_staff_on_the_way_in(view: View) -> View:
    """Let in staff who have not yet used the second factor that the merchant requires."""
    return _guarded(view, lambda staff: True, is_on_the_way_in=True)


def _guarded(view: View, is_allowed: Callable[[Staff], bool], *, is_on_the_way_in: bool = False) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, merchant_slug: str, **ids: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return lead_to_sign_in(request, reverse("account_login"))
        staff = _membership(request, merchant_slug)
        request.staff = staff  # type: ignore[attr-defined]
        request.brand = brand_of(staff.merchant)  # type: ignore[attr-defined]
        if not is_on_the_way_in and is_missing(request, staff):
            return lead_to_it(request, staff)
        if not is_allowed(staff):
            raise NotYourRole
        response = answer_and_record(view, request, staff, ids)
        # Whoever signs out at a machine of others leaves no page behind.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded


def _membership(request: HttpRequest, slug: str) -> Staff:
    assert isinstance(request.user, User)
    staff = (
        Staff.objects.select_related("merchant__setup", "user").filter(user=request.user, merchant__slug=slug).first()
    )
    if staff is None:
        raise Http404
    return staff


def memberships_of(staff: Staff) -> list[Staff]:
    """Return all memberships of the person, to change between merchants."""
    return list(Staff.objects.filter(user_id=staff.user_id).select_related("merchant").order_by("merchant__name"))


def customer_of(staff: Staff, customer_id: UUID) -> Customer:
    """Return one of the merchant's customers, or 404."""
    return get_object_or_404(Customer, merchant=staff.merchant_id, id=customer_id)


def customers_of(staff: Staff, customer_ids: list[UUID]) -> list[Customer]:
    """Return several of the merchant's customers, or 404 when one of them is not theirs."""
    found = list(
        Customer.objects.filter(merchant=staff.merchant_id, id__in=customer_ids).order_by("company_name", "id")
    )
    if len(found) != len(set(customer_ids)):
        raise Http404
    return found


def chosen_customers(staff: Staff, sent_in: QueryDict) -> list[Customer]:
    """Return the merchant's customers that an address or a form names by `customer`; 404 for any other id."""
    try:
        return customers_of(staff, [UUID(text) for text in sent_in.getlist("customer")])
    except ValueError:
        raise Http404 from None


def chosen_invoices(staff: Staff, sent_in: QueryDict) -> list[Invoice]:
    """Return the merchant's invoices that an address or a form names by `invoice`; 404 for any other id."""
    try:
        ids = {UUID(text) for text in sent_in.getlist("invoice")}
    except ValueError:
        raise Http404 from None
    found = list(Invoice.objects.filter(merchant=staff.merchant_id, id__in=ids).order_by("id"))
    if len(found) != len(ids):
        raise Http404
    return found


def access_of(customer: Customer, access_id: UUID) -> PortalAccess:
    """Return one user's access to a customer that was found already, or 404."""
    accesses = PortalAccess.objects.live().filter(customer=customer)
    return get_object_or_404(accesses.select_related("user"), id=access_id)


def contact_of(staff: Staff, contact_id: UUID) -> Contact:
    """Return a person at one of the merchant's customers, or 404."""
    return get_object_or_404(Contact.objects.select_related("customer"), merchant=staff.merchant_id, id=contact_id)


def note_of(staff: Staff, note_id: UUID) -> Note:
    """Return a note about one of the merchant's customers, or 404."""
    return get_object_or_404(Note.objects.select_related("customer__merchant"), merchant=staff.merchant_id, id=note_id)


def invitation_run_of(staff: Staff, run_id: UUID) -> InvitationRun:
    """Return one of the merchant's runs of invitations, or 404."""
    runs = InvitationRun.objects.select_related("merchant", "started_by")
    return get_object_or_404(runs, merchant=staff.merchant_id, id=run_id)


def import_file_of(staff: Staff, file_id: UUID) -> ImportFile:
    """Return one of the files that the merchant's staff dropped, or 404."""
    files = ImportFile.objects.select_related("merchant", "record", "uploaded_by", "invitation_run")
    return get_object_or_404(files, merchant=staff.merchant_id, id=file_id)


def invoice_of(staff: Staff, invoice_id: UUID) -> Invoice:
    """Return one of the merchant's invoices with its customer, or 404."""
    return get_object_or_404(Invoice.objects.select_related("customer"), merchant=staff.merchant_id, id=invoice_id)


def invoice_file_of(staff: Staff, attached_id: UUID) -> InvoiceFile:
    """Return a file that is attached to one of the merchant's invoices, or 404."""
    return get_object_or_404(InvoiceFile.objects.select_related("invoice"), merchant=staff.merchant_id, id=attached_id)


def payment_of(staff: Staff, payment_id: UUID) -> Payment:
    """Return one of the merchant's payments with customer, method and who made it, or 404."""
    payments = Payment.objects.select_related("customer", "method", "made_by", "request", "recorded_by", "mandate")
    return get_object_or_404(payments, merchant=staff.merchant_id, id=payment_id)


def method_of(staff: Staff, method_id: UUID) -> PaymentMethod:
    """Return a saved method of one of the merchant's customers, or 404."""
    return get_object_or_404(PaymentMethod.objects.saved(), merchant=staff.merchant_id, id=method_id)


def mail_of(staff: Staff, mail_id: UUID) -> Mail:
    """Return one of the merchant's mails, or 404."""
    return get_object_or_404(Mail.objects.select_related("customer"), merchant=staff.merchant_id, id=mail_id)


def suppression_of(staff: Staff, suppression_id: UUID) -> Suppression:
    """Return the stop of mails to an address by one of the merchant's mails, or 404."""
    return get_object_or_404(Suppression, merchant=staff.merchant_id, id=suppression_id)


def template_of(staff: Staff, template_id: UUID) -> ReminderTemplate:
    """Return one of the merchant's reminder templates, or 404."""
    templates = ReminderTemplate.objects.select_related("merchant", "saved_by")
    return get_object_or_404(templates, merchant=staff.merchant_id, id=template_id)


def kept_template_of(staff: Staff, template_id: UUID) -> ReminderTemplate:
    """Return one of the merchant's reminder templates, even a deleted one, or 404."""
    return get_object_or_404(ReminderTemplate._base_manager.all(), merchant=staff.merchant_id, id=template_id)


def version_of(staff: Staff, template_id: UUID, number: int) -> TemplateVersion:
    """Return a version of one of the merchant's templates, deleted ones among them, or 404."""
    versions = TemplateVersion.objects.select_related("template__merchant", "saved_by")
    return get_object_or_404(versions, template__merchant=staff.merchant_id, template=template_id, number=number)


def rule_of(staff: Staff, rule_id: UUID) -> Rule:
    """Return one of the merchant's rules of reminders, or 404."""
    rules = Rule.objects.filter(removed_at__isnull=True).select_related("merchant", "template")
    return get_object_or_404(rules, merchant=staff.merchant_id, id=rule_id)


def day_run_of(staff: Staff, day_run_id: UUID) -> DayRun:
    """Return one of the merchant's runs by rules, or 404."""
    return get_object_or_404(DayRun.objects.select_related("decided_by"), merchant=staff.merchant_id, id=day_run_id)


def member_of(staff: Staff, staff_id: UUID) -> Staff:
    """Return a colleague, or oneself, or 404."""
    return get_object_or_404(Staff.objects.select_related("user"), merchant=staff.merchant_id, id=staff_id)


def staff_invitation_of(staff: Staff, invitation_id: UUID) -> StaffInvitation:
    """Return one of the merchant's invitations to the staff, or 404."""
    return get_object_or_404(StaffInvitation, merchant=staff.merchant_id, id=invitation_id)


def audit_entry_of(staff: Staff, entry_id: UUID) -> AuditEntry:
    """Return one of the merchant's entries of the audit log, or 404."""
    return get_object_or_404(AuditEntry, merchant=staff.merchant_id, id=entry_id)


def statement_rule_of(staff: Staff, rule_id: UUID) -> StatementRule:
    """Return one of the merchant's rules of statements, or 404."""
    rules = StatementRule.objects.select_related("merchant", "template")
    return get_object_or_404(rules, merchant=staff.merchant_id, id=rule_id)


def statement_run_of(staff: Staff, run_id: UUID) -> StatementRun:
    """Return one of the merchant's runs of statements, or 404."""
    runs = StatementRun.objects.select_related("started_by", "decided_by")
    return get_object_or_404(runs, merchant=staff.merchant_id, id=run_id)


def hold_of(staff: Staff, hold_id: UUID) -> Hold:
    """Return one of the merchant's holds, or 404."""
    return get_object_or_404(Hold, merchant=staff.merchant_id, id=hold_id)


def kept_rehearsal_of(staff: Staff, text: str) -> KeptRehearsal | None:
    """Return one of the merchant's rehearsals, done or not, unless it is thrown away by now or never was one."""
    try:
        rehearsal_id = UUID(text)
    except ValueError:
        return None
    return KeptRehearsal.objects.filter(merchant=staff.merchant_id, id=rehearsal_id, compared_with=None).first()


def kept_change_of(staff: Staff, rehearsal_id: UUID) -> KeptRehearsal | None:
    """Return one of the merchant's rehearsals of a changed rule, unless it is thrown away by now or never was one."""
    changes = KeptRehearsal.objects.select_related("merchant", "compared_with")
    return changes.filter(merchant=staff.merchant_id, id=rehearsal_id, compared_with__isnull=False).first()
