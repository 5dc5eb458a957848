-- A provider that begins with a markup of its own is another price book.
--
-- Only changed markups made one: a book in memory did not know a new provider, and charged its list prices until some price
-- changed. A provider without a markup changes no amount, and makes no node read the book again.

CREATE TRIGGER providers_revision_of_new AFTER INSERT ON providers
    FOR EACH ROW WHEN (NEW.markup_ppm <> 1000000) EXECUTE FUNCTION bump_price_book();
