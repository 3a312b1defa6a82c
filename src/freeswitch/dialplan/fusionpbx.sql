-- Rows of Hotdesk for the database of FusionPBX, printed by `hotdesk dialplan fusionpbx`. Run them again after each change of
-- hotdesk.toml: they replace the rows of Hotdesk. Of other rows they change the dial-string alone.
BEGIN;

DELETE FROM v_dialplans WHERE app_uuid = {{ app }};
{%- for row in rows %}

INSERT INTO v_dialplans (dialplan_uuid, app_uuid, dialplan_context, dialplan_name, dialplan_continue, dialplan_order,
  dialplan_enabled, dialplan_description, dialplan_xml)
VALUES ({{ row.uuid }}, {{ app }}, {{ row.context }}, {{ row.name }}, 'true', {{ row.order }}, 'true',
  'Hotdesk: printed by hotdesk dialplan fusionpbx', {{ row.xml }});
{%- endfor %}

-- A call to user/101 also rings the devices where 101 is logged in.
INSERT INTO v_default_settings (default_setting_uuid, default_setting_category, default_setting_subcategory,
  default_setting_name, default_setting_value, default_setting_enabled)
SELECT {{ setting }}, 'domain', 'dial_string', 'text', {{ dial_string }}, 'true'
WHERE NOT EXISTS (SELECT 1 FROM v_default_settings
  WHERE default_setting_category = 'domain' AND default_setting_subcategory = 'dial_string');
UPDATE v_default_settings
SET default_setting_value = default_setting_value || {{ logins }}, default_setting_enabled = 'true'
WHERE default_setting_category = 'domain' AND default_setting_subcategory = 'dial_string'
  AND default_setting_value NOT LIKE '%hotdesk-lamp-%';
UPDATE v_domain_settings SET domain_setting_value = domain_setting_value || {{ logins }}
WHERE domain_setting_category = 'domain' AND domain_setting_subcategory = 'dial_string'
  AND domain_setting_value NOT LIKE '%hotdesk-lamp-%';
{%- if let Some(user) = user %}

-- Hotdesk's user at the event socket, with the least rights. No phone can register as it.
DELETE FROM v_extension_settings WHERE extension_uuid = {{ user.uuid }};
DELETE FROM v_extensions WHERE extension_uuid = {{ user.uuid }};
INSERT INTO v_extensions (extension_uuid, domain_uuid, extension, password, user_context, enabled, description)
SELECT {{ user.uuid }}, domain_uuid, {{ user.name }}, '', 'hotdesk@end', 'true', 'Hotdesk at the event socket'
FROM v_domains WHERE domain_name = {{ user.domain }};
{%- for (uuid, name, value) in user.params %}
INSERT INTO v_extension_settings (extension_setting_uuid, domain_uuid, extension_uuid, extension_setting_type,
  extension_setting_name, extension_setting_value, extension_setting_enabled)
SELECT {{ uuid }}, domain_uuid, {{ user.uuid }}, 'param', {{ name }}, {{ value }}, 'true'
FROM v_domains WHERE domain_name = {{ user.domain }};
{%- endfor %}
{%- endif %}

COMMIT;
