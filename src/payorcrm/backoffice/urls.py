"""Addresses below `/m/<merchant>/`."""

from django.urls import path

from payorcrm.backoffice.views import customers, dashboard, invoices, mails, payments, reminders, settings, templates

app_name = "backoffice"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("customers/", customers.customers, name="customers"),
    path("customers/<uuid:customer_id>/", customers.customer, name="customer"),
    path("methods/<uuid:method_id>/remove/", customers.remove, name="method_remove"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("payments/", payments.payments, name="payments"),
    path("payments/export/", payments.export, name="payments_export"),
    path("payments/<uuid:payment_id>/", payments.payment, name="payment"),
    path("mails/", mails.mails, name="mails"),
    path("mails/<uuid:mail_id>/again/", mails.send_again, name="mail_again"),
    path("reminders/send/", reminders.send, name="reminders_send"),
    path("reminders/", templates.templates, name="templates"),
    path("reminders/<uuid:template_id>/", templates.template, name="template"),
    path("reminders/<uuid:template_id>/preview/", templates.preview, name="template_preview"),
    path("settings/", settings.settings, name="settings"),
]
