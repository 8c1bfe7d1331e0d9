"""The forms of what the API answers and takes, as the OpenAPI document shows them."""
