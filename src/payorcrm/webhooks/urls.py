"""Where processors report what happened."""

from django.urls import path

from payorcrm.webhooks.views import receive

app_name = "webhooks"
urlpatterns = [path("<slug:gateway>/<slug:merchant_slug>/", receive, name="receive")]
