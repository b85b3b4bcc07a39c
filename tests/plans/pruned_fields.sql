SELECT person.name, person.address.city, visits[1].page, upper(tag.text) AS tag
FROM (SELECT person, visits, unnest(tags) AS tag FROM 'tests/plans/visits.ndjson')
WHERE person.age > 30
