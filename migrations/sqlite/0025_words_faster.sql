-- The words of an incident are made by its search index here; this is about those of the other database.
select 1;
