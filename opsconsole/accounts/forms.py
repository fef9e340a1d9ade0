"""The sign-in form."""

from django import forms


class SignInForm(forms.Form):
    """Only shape is checked here; the password is looked at by the view, after the throttle."""

    username = forms.CharField(max_length=150, error_messages={"required": "Enter your username."})
    password = forms.CharField(
        max_length=1000, strip=False, error_messages={"required": "Enter your password."}
    )
