"""The customer's addresses: pages behind links of mails, and the portal behind a sign-in."""

from django.urls import path

from payorcrm.portal.views import accounts, brand, confirm, pay, payments, result, unsubscribe

app_name = "portal"
urlpatterns = [
    path("pay/<str:token>/", pay.pay, name="pay"),
    path("pay/<str:token>/sent/", pay.sent, name="sent"),
    path("pay/<str:token>/review/<uuid:method_id>/", pay.review, name="review"),
    path("pay/<str:token>/fresh/", pay.fresh, name="fresh"),
    path("confirm/<str:token>/", confirm.confirm, name="confirm"),
    path("payment/<str:token>/", result.result, name="result"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("brand/<slug:merchant_slug>/logo-<str:digest>.png", brand.logo, name="logo"),
    path("portal/payments/", payments.payments, name="payments"),
    path("portal/payments/<uuid:payment_id>/", payments.payment, name="payment"),
    path("portal/customer/", accounts.switch_customer, name="switch_customer"),
]
