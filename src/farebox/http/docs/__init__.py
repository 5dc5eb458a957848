"""`/docs`: the API for people, on one page that is made from the same tables that the server answers by."""
