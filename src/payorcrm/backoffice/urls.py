"""Addresses below `/m/<merchant>/`."""

from django.urls import path

from payorcrm.backoffice.views import (
    customers,
    dashboard,
    documents,
    imports,
    invitations,
    invoices,
    mails,
    payments,
    reminders,
    settings,
    templates,
    viewing,
)

app_name = "backoffice"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("customers/", customers.customers, name="customers"),
    path("customers/<uuid:customer_id>/", customers.customer, name="customer"),
    path(
        "customers/<uuid:customer_id>/users/<uuid:access_id>/remove/",
        invitations.remove_user,
        name="user_remove",
    ),
    path("invitations/send/", invitations.invite, name="invite"),
    path("invitations/test/", invitations.invite_test, name="invite_test"),
    path("invitations/<uuid:run_id>/", invitations.invitation_run, name="invitation_run"),
    path("customers/<uuid:customer_id>/view-as/", viewing.view_as, name="view_as"),
    path("methods/<uuid:method_id>/remove/", customers.remove, name="method_remove"),
    path("imports/", imports.imports, name="imports"),
    path("imports/upload/", imports.upload, name="import_upload"),
    path("imports/<uuid:file_id>/", imports.progress, name="import_progress"),
    path("imports/<uuid:file_id>/columns/", imports.columns, name="import_columns"),
    path("imports/<uuid:file_id>/preview/", imports.preview, name="import_preview"),
    path("imports/<uuid:file_id>/bad-rows.csv", imports.bad_rows, name="import_bad_rows"),
    path("imports/<uuid:file_id>/undo/", imports.undo, name="import_undo"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/invoice.pdf", documents.invoice_pdf, name="invoice_pdf"),
    path("invoices/<uuid:invoice_id>/document/", documents.keep, name="document_keep"),
    path("invoices/<uuid:invoice_id>/document/remove/", documents.remove, name="document_remove"),
    path("payments/", payments.payments, name="payments"),
    path("payments/export/", payments.export, name="payments_export"),
    path("payments/<uuid:payment_id>/", payments.payment, name="payment"),
    path("payments/<uuid:payment_id>/receipt.pdf", documents.receipt_pdf, name="receipt_pdf"),
    path("mails/", mails.mails, name="mails"),
    path("mails/<uuid:mail_id>/again/", mails.send_again, name="mail_again"),
    path("reminders/send/", reminders.send, name="reminders_send"),
    path("reminders/", templates.templates, name="templates"),
    path("reminders/<uuid:template_id>/", templates.template, name="template"),
    path("reminders/<uuid:template_id>/preview/", templates.preview, name="template_preview"),
    path("settings/", settings.settings, name="settings"),
]
