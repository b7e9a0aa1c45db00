"""The address behind the link of an invitation to the staff."""

from django.urls import path

from payorcrm.backoffice.views import joining

app_name = "joining"
urlpatterns = [path("<str:token>/", joining.join_page, name="join")]
