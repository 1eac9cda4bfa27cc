"""Files on disk: nobody else can read them."""
