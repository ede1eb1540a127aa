"""Records as OData 4.0 tables in the dialect of ODK Central, which R, Excel, Power BI and pyodk read (docs.getodk.org, "OData")."""
